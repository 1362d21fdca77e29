package session

import (
	"slices"
	"strconv"
	"strings"

	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
)

// annotations are the names that `-- @name: value` may have, and what the values must
// be (nil: anything). Names that end in a dot are prefixes.
var annotations = map[string]func(string) string{
	"app": nil, "application": nil, "name": nil, "job_name": nil, "version": nil, "description": nil, "phase": nil,
	"depends_on": nil, "data_retention": nil, "compliance": nil, "tags": nil, "sla.": nil,
	"job_mode": wantOneOf("simple", "transactional", "adaptive"), "batch_size": wantCount, "num_partitions": wantCount, "partitioning_strategy": nil,
	"deployment.node_id": nil, "deployment.node_name": nil, "deployment.region": nil,
	"observability.metrics.enabled": wantFlag, "observability.tracing.enabled": wantFlag,
	"observability.profiling.enabled": wantFlag, "observability.error_reporting.enabled": wantFlag,
	"metric": nil, "metric_type": wantOneOf("counter", "gauge", "histogram"), "metric_help": nil, "metric_labels": nil, "metric_field": nil,
	"metric_condition": nil, "metric_buckets": wantNumbers, "metric_sample_rate": wantShare,
	"velo:workload": wantOneOf("trading", "analytics", "reporting", "realtime", "custom"),
	"velo:sla.":     nil, "velo:scaling.": nil, "velo:resources.": nil, "velo:node_selector.": nil, "velo:cost.": nil, "velo:schedule.": nil,
	"velo:monitoring.": nil, "velo:backpressure.": nil, "velo:regions.": nil, "velo:circuit_breaker.": nil,
}

// A check of a value returns what the value must be, "" if it is.

func wantOneOf(values ...string) func(string) string {
	return func(v string) string {
		if slices.Contains(values, strings.ToLower(v)) {
			return ""
		}
		return "one of " + strings.Join(values, ", ")
	}
}

func wantCount(v string) string {
	if n, err := strconv.Atoi(v); err != nil || n < 1 {
		return "a number of at least 1"
	}
	return ""
}

func wantFlag(v string) string {
	if _, err := checkBool(v); err != nil {
		return "true or false"
	}
	return ""
}

func wantShare(v string) string {
	if f, err := strconv.ParseFloat(v, 64); err != nil || f < 0 || f > 1 {
		return "a number from 0 to 1"
	}
	return ""
}

func wantNumbers(v string) string {
	for part := range strings.SplitSeq(strings.Trim(v, "[]"), ",") {
		if _, err := strconv.ParseFloat(strings.TrimSpace(part), 64); err != nil {
			return "numbers with commas between them"
		}
	}
	return ""
}

// annotationCheck finds the check of a name; known is false if there is no such
// annotation.
func annotationCheck(name string) (check func(string) string, known bool) {
	name = strings.ToLower(name)
	if c, ok := annotations[name]; ok && !strings.HasSuffix(name, ".") {
		return c, true
	}
	for prefix := range annotations {
		if strings.HasSuffix(prefix, ".") && len(name) > len(prefix) && strings.HasPrefix(name, prefix) {
			return nil, true
		}
	}
	return nil, false
}

// annotated checks the annotations before a statement: an unknown one is a warning that
// names the nearest, a value that cannot be is an error.
func (v *validator) annotated(p ast.Parsed) {
	for _, a := range p.Annotations {
		check, known := annotationCheck(a.Name)
		if !known {
			hint := ""
			names := make([]string, 0, len(annotations))
			for n := range annotations {
				names = append(names, strings.TrimSuffix(n, "."))
			}
			slices.Sort(names)
			if near := binder.Nearest(strings.ToLower(a.Name), names); near != "" {
				hint = "Perhaps you meant @" + near + "."
			}
			v.add("warning", "01000", a.Pos(), "unknown annotation @"+a.Name, "", hint)
			continue
		}
		if check == nil {
			continue
		}
		if want := check(a.Value); want != "" {
			v.add("error", "22023", a.ValuePos, "annotation @"+a.Name+" must be "+want+", not "+strconv.Quote(a.Value), "", "")
		}
	}
}
