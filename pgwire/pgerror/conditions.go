package pgerror

// SQLSTATEs used here (https://www.postgresql.org/docs/15/errcodes-appendix.html).
const (
	ProtocolViolation            = "08P01"
	ConnectionFailure            = "08006"
	FeatureNotSupported          = "0A000"
	InvalidCursorDefinition      = "42P11"
	StringDataRightTruncation    = "22001"
	StringDataLengthMismatch     = "22026"
	NumericValueOutOfRange       = "22003"
	NullValueNotAllowed          = "22004"
	InvalidDatetimeFormat        = "22007"
	DatetimeFieldOverflow        = "22008"
	SubstringError               = "22011"
	DivisionByZero               = "22012"
	InvalidParameterValue        = "22023"
	InvalidEscapeSequence        = "22025"
	InvalidTextRepresentation    = "22P02"
	InvalidBinaryRepresentation  = "22P03"
	BadCopyFileFormat            = "22P04"
	UntranslatableCharacter      = "22P05"
	InvalidByteSequence          = "22021"
	InvalidRegularExpression     = "2201B"
	InvalidJSONText              = "22032"
	CardinalityViolation         = "21000"
	NotNullViolation             = "23502"
	ForeignKeyViolation          = "23503"
	UniqueViolation              = "23505"
	CheckViolation               = "23514"
	InvalidCursorState           = "24000"
	InvalidTransactionState      = "25000"
	ActiveTransaction            = "25001"
	ReadOnlyTransaction          = "25006"
	NoActiveTransaction          = "25P01"
	InFailedTransaction          = "25P02"
	IdleInTransaction            = "25P03"
	InvalidStatementName         = "26000"
	InvalidAuthorization         = "28000"
	InvalidPassword              = "28P01"
	DependentObjectsStillExist   = "2BP01"
	InvalidCursorName            = "34000"
	InvalidSavepoint             = "3B001"
	InvalidCatalogName           = "3D000"
	InvalidSchemaName            = "3F000"
	SerializationFailure         = "40001"
	DeadlockDetected             = "40P01"
	SyntaxError                  = "42601"
	InsufficientPrivilege        = "42501"
	InvalidGrantOperation        = "0LP01"
	InvalidRoleSpecification     = "0P000"
	ReservedName                 = "42939"
	PrivilegeNotGranted          = "01007"
	PrivilegeNotRevoked          = "01006"
	CannotCoerce                 = "42846"
	GroupingError                = "42803"
	WindowingError               = "42P20"
	DatatypeMismatch             = "42804"
	WrongObjectType              = "42809"
	UndefinedColumn              = "42703"
	UndefinedFunction            = "42883"
	UndefinedTable               = "42P01"
	UndefinedParameter           = "42P02"
	UndefinedObject              = "42704"
	DuplicateColumn              = "42701"
	DuplicateCursor              = "42P03"
	DuplicateDatabase            = "42P04"
	DuplicatePreparedStatement   = "42P05"
	DuplicateSchema              = "42P06"
	DuplicateTable               = "42P07"
	DuplicateAlias               = "42712"
	DuplicateObject              = "42710"
	DuplicateFunction            = "42723"
	AmbiguousColumn              = "42702"
	AmbiguousFunction            = "42725"
	AmbiguousParameter           = "42P08"
	IndeterminateDatatype        = "42P18"
	InvalidColumnReference       = "42P10"
	InvalidColumnDefinition      = "42611"
	InvalidTableDefinition       = "42P16"
	InvalidObjectDefinition      = "42P17"
	InvalidName                  = "42602"
	NameTooLong                  = "42622"
	InsufficientResources        = "53000"
	DiskFull                     = "53100"
	OutOfMemory                  = "53200"
	TooManyConnections           = "53300"
	ConfigurationLimitExceeded   = "53400"
	DataException                = "22000"
	ArraySubscriptError          = "2202E"
	ProgramLimitExceeded         = "54000"
	StatementTooComplex          = "54001"
	TooManyColumns               = "54011"
	ObjectNotInPrerequisiteState = "55000"
	ObjectInUse                  = "55006"
	LockNotAvailable             = "55P03"
	QueryCanceled                = "57014"
	AdminShutdown                = "57P01"
	CannotConnectNow             = "57P03"
	IdleSession                  = "57P05"
	IOError                      = "58030"
	UndefinedFile                = "58P01"
	InternalError                = "XX000"
	DataCorrupted                = "XX001"
)

// Canceled is the error of a statement ended by a cancel request.
func Canceled() *Error {
	return New(QueryCanceled, "canceling statement due to user request")
}

// Unsupported refuses what is understood but not offered: feature names it.
func Unsupported(format string, args ...any) *Error {
	return New(FeatureNotSupported, format, args...)
}

// NoSuchRelation is the error of a name that is no relation.
func NoSuchRelation(name string) *Error {
	return New(UndefinedTable, "relation \"%s\" does not exist", name)
}

// NoSuchColumn is the error of a name that is no column.
func NoSuchColumn(name string) *Error {
	return New(UndefinedColumn, "column \"%s\" does not exist", name)
}

// DivideByZero is the error of x / 0.
func DivideByZero() *Error { return New(DivisionByZero, "division by zero") }

// OutOfRange is the error of a value that type cannot hold.
func OutOfRange(typ string) *Error {
	return New(NumericValueOutOfRange, "%s out of range", typ)
}

// InvalidText is the error of text that is no value of type.
func InvalidText(typ, text string) *Error {
	return New(InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typ, text)
}
