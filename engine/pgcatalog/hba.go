package pgcatalog

import (
	"net"
	"net/netip"

	"velostream/catalog/auth"
)

// hbaSources show who may connect from where.
func hbaSources() map[string]source {
	return map[string]source{
		"pg_hba_file_rules": {"line_number type database user_name address netmask auth_method options", (*Catalog).hbaRows},
	}
}

// hbaRows shows the rules in force: what cannot be read in the file does not come into
// force, so no rule has an error.
func (c *Catalog) hbaRows(e *emitter) {
	if c.HBA == nil {
		return
	}
	for _, r := range c.HBA() {
		address, mask := hbaAddress(r.Address)
		var options any
		if r.ClientCert != "" {
			options = []string{"clientcert=" + r.ClientCert}
		}
		e.row(r.Line, r.Type, hbaWords(r.Databases), hbaWords(r.Users), address, mask, string(r.Method), options)
	}
}

func hbaWords(list []auth.Word) []string {
	out := make([]string, len(list))
	for i, w := range list {
		out[i] = w.Text
	}
	return out
}

// hbaAddress takes an address as written apart; names have no mask.
func hbaAddress(text string) (address, mask any) {
	if text == "" {
		return nil, nil
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return p.Addr().String(), net.IP(net.CIDRMask(p.Bits(), p.Addr().BitLen())).String()
	}
	return text, nil
}
