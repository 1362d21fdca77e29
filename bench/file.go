package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"velostream/bench/roofline"
)

// file groups a file of measurements by station.
func file(ctx context.Context, b *bench) error {
	path := filepath.Join(b.tmp, "stations.csv")
	if err := writeStations(path, b.stations); err != nil {
		return err
	}
	s, err := b.startServer(ctx, "file")
	if err != nil {
		return err
	}
	defer s.stop()
	c, err := dial(ctx, s.dsn())
	if err != nil {
		return err
	}
	defer c.Close(context.Background())
	if err := c.exec(ctx, `CREATE STREAM measurements (station text, temperature numeric(5,1))
		WITH (connector = 'file', path = '%s', format = 'csv_no_header', delimiter = ';')`, path); err != nil {
		return err
	}
	ours := func() (sample, error) {
		return timed(s.cpu, func() error {
			rows, err := c.rows(ctx, "SELECT station, min(temperature), avg(temperature), max(temperature), count(*) FROM measurements GROUP BY station ORDER BY station")
			if err == nil && len(rows) != stations {
				return fmt.Errorf("%d stations, want %d", len(rows), stations)
			}
			return err
		})
	}
	hand := func() (sample, error) {
		return timed(ownTime, func() error {
			g, err := roofline.Stations(path)
			if err == nil && g.Len() != stations {
				return fmt.Errorf("roofline: %d stations", g.Len())
			}
			return err
		})
	}
	list, err := pairs(b.reps, ours, hand)
	if err != nil {
		return err
	}
	r := rates("file, min/avg/max by 408 stations", "/s", "roofline", b.stations, list, true)
	r.Ship, r.Aim = 0.3, 0.6
	b.add(r)
	return nil
}

const stations = 408

func writeStations(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	seed := uint64(1)
	for i := range n {
		seed = seed*6364136223846793005 + 1442695040888963407
		t := int(seed>>33) % 1200
		fmt.Fprintf(w, "Station %03d;%d.%d\n", i*31%stations, t/10-40, t%10)
	}
	return w.Flush()
}
