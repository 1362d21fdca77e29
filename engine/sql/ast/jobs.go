package ast

// ShowKind is what SHOW lists.
type ShowKind string

// Things SHOW and LIST list. ShowSetting is the statement for settings.
const (
	ShowJobs          ShowKind = "JOBS" // also QUERIES
	ShowJobStatus     ShowKind = "JOB STATUS"
	ShowJobMetrics    ShowKind = "JOB METRICS"
	ShowJobVersions   ShowKind = "JOB VERSIONS"
	ShowStreams       ShowKind = "STREAMS"
	ShowSources       ShowKind = "SOURCES"
	ShowTables        ShowKind = "TABLES"
	ShowViews         ShowKind = "VIEWS"
	ShowMatViews      ShowKind = "MATERIALIZED VIEWS"
	ShowIndexes       ShowKind = "INDEXES"
	ShowTopics        ShowKind = "TOPICS"
	ShowTopicDetails  ShowKind = "TOPIC DETAILS"
	ShowNodes         ShowKind = "NODES"
	ShowFunctions     ShowKind = "FUNCTIONS"
	ShowSinks         ShowKind = "SINKS"
	ShowSubscriptions ShowKind = "SUBSCRIPTIONS"
	ShowConnections   ShowKind = "CONNECTIONS"
	ShowSecrets       ShowKind = "SECRETS"
	ShowSchemas       ShowKind = "SCHEMAS"
	ShowDatabases     ShowKind = "DATABASES"
	ShowConnectors    ShowKind = "CONNECTORS"
	ShowPartitions    ShowKind = "PARTITIONS"
	ShowSchema        ShowKind = "SCHEMA"
	ShowProperties    ShowKind = "PROPERTIES"
	ShowCreate        ShowKind = "CREATE"
	ShowColumns       ShowKind = "COLUMNS"
	Describe          ShowKind = "DESCRIBE"
)

// Show is SHOW, LIST or DESCRIBE of our own objects.
type Show struct {
	At
	Kind       ShowKind
	ObjectKind string // of PROPERTIES and CREATE: "STREAM", "TABLE", "MATERIALIZED VIEW", "SINK", "VIEW", "SOURCE", "INDEX"
	Name       Name   // of those about one object
	Like       *Literal
	Where      Expr
	WithSchema bool   // SHOW TABLES WITH SCHEMAS
	Node       string // SHOW JOBS ON NODE 'id'
	Extended   bool   // DESCRIBE EXTENDED
}

// JobAction is what a Job statement does.
type JobAction string

// Job statements.
const (
	JobStart    JobAction = "START JOB"
	JobStop     JobAction = "STOP JOB"
	JobPause    JobAction = "PAUSE JOB"
	JobResume   JobAction = "RESUME JOB"
	JobCancel   JobAction = "CANCEL JOB"
	JobDeploy   JobAction = "DEPLOY JOB"
	JobRollback JobAction = "ROLLBACK JOB"
)

// Job is START, STOP, PAUSE, RESUME, CANCEL, DEPLOY or ROLLBACK JOB. DROP JOB
// is a Drop.
type Job struct {
	At
	Action   JobAction
	Name     Name
	Force    bool
	Version  string
	Strategy string // "", "BLUE_GREEN", "CANARY", "ROLLING", "REPLACE"
	Percent  Expr   // of CANARY(pct)
	Stmt     Statement
	Options  []Option // WITH (…) after the query
}

// Subscribe is SUBSCRIBE [TO] {rel | (query)}.
type Subscribe struct {
	At
	Table    *TableName // exactly one of Table
	Query    *Query     // and Query is set
	Envelope string     // "", "UPSERT", "DEBEZIUM"
	Key      []Ident
	Options  []Option // snapshot, progress
	AsOf     Expr
	UpTo     Expr
}

// Validate is VALIDATE 'sql'.
type Validate struct {
	At
	SQL    string
	SQLPos int
}

// Flush is FLUSH.
type Flush struct{ At }

// Backup is BACKUP TO or RESTORE FROM.
type Backup struct {
	At
	Restore bool
	URL     string
	Options []Option
}

func (*Show) stmt()      {}
func (*Job) stmt()       {}
func (*Subscribe) stmt() {}
func (*Validate) stmt()  {}
func (*Flush) stmt()     {}
func (*Backup) stmt()    {}
