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

// The loops take four rows at a time: the sum of four numbers is infinite or NaN if one of them
// is, and the product is zero if one of them is, so that one look serves four.

func addFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	for len(o) >= 4 {
		x, y, z := (*[4]float64)(a), (*[4]float64)(b), (*[4]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]+y[0], x[1]+y[1], x[2]+y[2], x[3]+y[3]
		if s := z[0] + z[1] + (z[2] + z[3]); s-s != 0 {
			look = true
		}
		a, b, o = a[4:], b[4:], o[4:]
	}
	for i := range o {
		if o[i] = a[i] + b[i]; o[i]-o[i] != 0 {
			look = true
		}
	}
	return look
}

func subFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	for len(o) >= 4 {
		x, y, z := (*[4]float64)(a), (*[4]float64)(b), (*[4]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]-y[0], x[1]-y[1], x[2]-y[2], x[3]-y[3]
		if s := z[0] + z[1] + (z[2] + z[3]); s-s != 0 {
			look = true
		}
		a, b, o = a[4:], b[4:], o[4:]
	}
	for i := range o {
		if o[i] = a[i] - b[i]; o[i]-o[i] != 0 {
			look = true
		}
	}
	return look
}

func addFloat(a []float64, y float64, o []float64) (look bool) {
	a = a[:len(o)]
	for len(o) >= 4 {
		x, z := (*[4]float64)(a), (*[4]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]+y, x[1]+y, x[2]+y, x[3]+y
		if s := z[0] + z[1] + (z[2] + z[3]); s-s != 0 {
			look = true
		}
		a, o = a[4:], o[4:]
	}
	for i := range o {
		if o[i] = a[i] + y; o[i]-o[i] != 0 {
			look = true
		}
	}
	return look
}

// fromFloat computes x - b.
func fromFloat(x float64, b, o []float64) (look bool) {
	b = b[:len(o)]
	for i := range o {
		if o[i] = x - b[i]; o[i]-o[i] != 0 {
			look = true
		}
	}
	return look
}

func mulFloats(a, b, o []float64) (look bool) {
	a, b = a[:len(o)], b[:len(o)]
	for len(o) >= 4 {
		x, y, z := (*[4]float64)(a), (*[4]float64)(b), (*[4]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]*y[0], x[1]*y[1], x[2]*y[2], x[3]*y[3]
		s, p := z[0]+z[1]+(z[2]+z[3]), z[0]*z[1]*(z[2]*z[3])
		if s-s != 0 || p == 0 {
			look = true
		}
		a, b, o = a[4:], b[4:], o[4:]
	}
	for i := range o {
		if o[i] = a[i] * b[i]; o[i]-o[i] != 0 || o[i] == 0 {
			look = true
		}
	}
	return look
}

func mulFloat(a []float64, y float64, o []float64) (look bool) {
	a = a[:len(o)]
	for len(o) >= 4 {
		x, z := (*[4]float64)(a), (*[4]float64)(o)
		z[0], z[1], z[2], z[3] = x[0]*y, x[1]*y, x[2]*y, x[3]*y
		s, p := z[0]+z[1]+(z[2]+z[3]), z[0]*z[1]*(z[2]*z[3])
		if s-s != 0 || p == 0 {
			look = true
		}
		a, o = a[4:], o[4:]
	}
	for i := range o {
		if o[i] = a[i] * y; o[i]-o[i] != 0 || o[i] == 0 {
			look = true
		}
	}
	return look
}
