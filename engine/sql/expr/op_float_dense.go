package expr

import "velostream/storage/column"

// arithDense reports whether a result needs a second look: one that is
// infinite, NaN, or a product of zero. It may report so without need.
func arithDense(op byte, args []*column.Column, o []float64) (look bool) {
	a, b := args[0].Floats, args[1].Floats
	switch ak, bk := args[0].Const, args[1].Const; {
	case ak && bk || len(o) == 0:
		return arithConsts(op, a, b, o)
	case op == '+' && bk:
		return addFloat(a, b[0], o)
	case op == '+' && ak:
		return addFloat(b, a[0], o)
	case op == '+':
		return addFloats(a, b, o)
	case op == '-' && bk:
		return addFloat(a, -b[0], o)
	case op == '-' && ak:
		return fromFloat(a[0], b, o)
	case op == '-':
		return subFloats(a, b, o)
	case bk:
		return mulFloat(a, b[0], o)
	case ak:
		return mulFloat(b, a[0], o)
	}
	return mulFloats(a, b, o)
}

// arithConsts computes what is the same for each row.
func arithConsts(op byte, a, b, o []float64) bool {
	for i := range o {
		switch op {
		case '+':
			o[i] = a[0] + b[0]
		case '-':
			o[i] = a[0] - b[0]
		default:
			o[i] = a[0] * b[0]
		}
	}
	return true
}

// The loops take eight rows at a time: the sum of numbers is infinite or NaN if one of them
// is, and the product is zero if one of them is, so that one look serves several. What is
// subtracted from itself is 0, or else NaN, which stays in bad.

func addFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	bad := 0.0
	for len(o) >= 8 {
		x, y, z := (*[8]float64)(a), (*[8]float64)(b), (*[8]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]+y[0], x[1]+y[1], x[2]+y[2], x[3]+y[3]
		z[4], z[5], z[6], z[7] = x[4]+y[4], x[5]+y[5], x[6]+y[6], x[7]+y[7]
		s := z[0] + z[1] + (z[2] + z[3]) + (z[4] + z[5] + (z[6] + z[7]))
		bad += s - s
		a, b, o = a[8:], b[8:], o[8:]
	}
	for i := range o {
		o[i] = a[i] + b[i]
		bad += o[i] - o[i]
	}
	return bad != 0
}

func subFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	bad := 0.0
	for len(o) >= 8 {
		x, y, z := (*[8]float64)(a), (*[8]float64)(b), (*[8]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		z[4], z[5], z[6], z[7] = x[4]-y[4], x[5]-y[5], x[6]-y[6], x[7]-y[7]
		s := z[0] + z[1] + (z[2] + z[3]) + (z[4] + z[5] + (z[6] + z[7]))
		bad += s - s
		a, b, o = a[8:], b[8:], o[8:]
	}
	for i := range o {
		o[i] = a[i] - b[i]
		bad += o[i] - o[i]
	}
	return bad != 0
}

func addFloat(a []float64, y float64, o []float64) (look bool) {
	a = a[:len(o)]
	bad := 0.0
	for len(o) >= 8 {
		x, z := (*[8]float64)(a), (*[8]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]+y, x[1]+y, x[2]+y, x[3]+y
		z[4], z[5], z[6], z[7] = x[4]+y, x[5]+y, x[6]+y, x[7]+y
		s := z[0] + z[1] + (z[2] + z[3]) + (z[4] + z[5] + (z[6] + z[7]))
		bad += s - s
		a, o = a[8:], o[8:]
	}
	for i := range o {
		o[i] = a[i] + y
		bad += o[i] - o[i]
	}
	return bad != 0
}

// fromFloat computes x - b.
func fromFloat(x float64, b, o []float64) (look bool) {
	b = b[:len(o)]
	bad := 0.0
	for i := range o {
		o[i] = x - b[i]
		bad += o[i] - o[i]
	}
	return bad != 0
}

func mulFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	bad := 0.0
	for len(o) >= 8 {
		x, y, z := (*[8]float64)(a), (*[8]float64)(b), (*[8]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]*y[0], x[1]*y[1], x[2]*y[2], x[3]*y[3]
		z[4], z[5], z[6], z[7] = x[4]*y[4], x[5]*y[5], x[6]*y[6], x[7]*y[7]
		s := z[0] + z[1] + (z[2] + z[3]) + (z[4] + z[5] + (z[6] + z[7]))
		bad += s - s
		if z[0]*z[1]*(z[2]*z[3]) == 0 || z[4]*z[5]*(z[6]*z[7]) == 0 {
			look = true
		}
		a, b, o = a[8:], b[8:], o[8:]
	}
	for i := range o {
		o[i] = a[i] * b[i]
		bad += o[i] - o[i]
		look = look || o[i] == 0
	}
	return look || bad != 0
}

func mulFloat(a []float64, y float64, o []float64) (look bool) {
	a = a[:len(o)]
	bad := 0.0
	for len(o) >= 8 {
		x, z := (*[8]float64)(a), (*[8]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]*y, x[1]*y, x[2]*y, x[3]*y
		z[4], z[5], z[6], z[7] = x[4]*y, x[5]*y, x[6]*y, x[7]*y
		s := z[0] + z[1] + (z[2] + z[3]) + (z[4] + z[5] + (z[6] + z[7]))
		bad += s - s
		if z[0]*z[1]*(z[2]*z[3]) == 0 || z[4]*z[5]*(z[6]*z[7]) == 0 {
			look = true
		}
		a, o = a[8:], o[8:]
	}
	for i := range o {
		o[i] = a[i] * y
		bad += o[i] - o[i]
		look = look || o[i] == 0
	}
	return look || bad != 0
}
