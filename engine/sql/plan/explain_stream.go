package plan

import (
	"fmt"
	"math"
	"strings"

	"velostream/catalog/types"
	"velostream/engine/sql/expr"
)

// streaming adds the lines about a node of a plan that keeps running.
func (x *explainer) streaming(p *Physical, depth int) {
	var parts []string
	switch {
	case len(p.Key) > 0:
		parts = append(parts, "key ("+columnNames(p.Out, p.Key)+")")
	case p.Op == OpAggregate && len(p.Keys) == 0:
		parts = append(parts, "one row")
	}
	if p.AppendOnly {
		parts = append(parts, "append-only")
	} else {
		parts = append(parts, "retracting")
	}
	if p.EventTime >= 0 {
		parts = append(parts, "watermark "+columnName(p.Out, p.EventTime))
	}
	if (p.Op == OpAggregate || p.Op == OpOver || p.Op == OpSession) && p.Emit == EmitFinal {
		parts = append(parts, "emitted when the window closes")
	}
	x.prop(depth, "Stream", strings.Join(parts, ", "))
	if len(p.Tables) > 0 {
		x.prop(depth, "State", tableList(p.Tables)+", "+StateBound(p))
	}
}

func tableList(ids []uint16) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = fmt.Sprintf("t%d", id)
	}
	return strings.Join(out, " ")
}

// StateBound says what bounds the size of a stateful node's tables.
func StateBound(p *Physical) string {
	switch p.Op {
	case OpAggregate:
		switch {
		case len(p.Keys) == 0:
			return "bounded: one row"
		case p.WindowEnd >= 0:
			return "bounded by the watermark"
		}
		return "grows with the groups"
	case OpTopN:
		if n, ok := constRows(p); ok && p.Inputs[0].AppendOnly {
			return fmt.Sprintf("bounded: %d rows", n)
		}
		return "grows with the input"
	case OpOver:
		if p.Emit == EmitFinal {
			return "bounded by the watermark"
		}
		return "grows with the input"
	case OpClock:
		return "bounded by time: rows until they come or go"
	case OpEvery:
		return "bounded: changes of one interval"
	case OpSession:
		if p.EventTime >= 0 {
			return "bounded by the watermark"
		}
		return "grows with the input"
	case OpUpsert:
		return "grows with the keys"
	case OpLookupJoin:
		return "left rows are not kept, right ones grow with the table"
	case OpTemporalJoin:
		return "left rows bounded by the watermark, right ones grow with the keys"
	case OpIntervalJoin:
		l, r := p.Within.Hi < math.MaxInt64, p.Within.Lo > math.MinInt64
		switch {
		case l && r:
			return "bounded by the watermark"
		case l:
			return "unbounded: right rows are kept for ever"
		}
		return "unbounded: left rows are kept for ever"
	case OpJoin:
		if p.Inputs[0].AppendOnly && p.Inputs[1].AppendOnly {
			return "unbounded"
		}
		return "grows with the inputs"
	default:
		return "grows with the input"
	}
}

func constRows(p *Physical) (int64, bool) {
	n := int64(0)
	for _, e := range []expr.Expr{p.Count, p.Offset} {
		c, ok := e.(*expr.Const)
		switch {
		case e == nil && n == 0:
		case !ok || c.Value.Null || c.T.OID != types.OIDInt8:
			return 0, false
		default:
			n += c.Value.I
		}
	}
	return n, p.Count != nil
}
