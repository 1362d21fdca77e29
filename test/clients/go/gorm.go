package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
)

type gormAuthor struct {
	ID      uint
	Name    string `gorm:"size:40;uniqueIndex;not null"`
	Born    *time.Time
	Rank    int        `gorm:"default:7;check:gorm_rank,rank > 0"`
	Books   []gormBook `gorm:"foreignKey:AuthorID;constraint:OnDelete:CASCADE"`
	Created time.Time  `gorm:"autoCreateTime"`
}

type gormBook struct {
	gorm.Model
	Title    string  `gorm:"index:gorm_title,priority:1;comment:as printed"`
	Price    float64 `gorm:"type:numeric(8,2)"`
	Cover    []byte
	AuthorID uint      `gorm:"index:gorm_title,priority:2"`
	Tags     []gormTag `gorm:"many2many:gorm_book_tags"`
}

type gormTag struct {
	Word string `gorm:"primaryKey;size:20"`
}

func (gormAuthor) TableName() string { return "gorm_authors" }
func (gormBook) TableName() string   { return "gorm_books" }
func (gormTag) TableName() string    { return "gorm_tags" }

// gorm runs GORM: its migrator, which reads tables back, and its queries.
func (e *env) gorm() error {
	const d = "gorm"
	db, err := gorm.Open(postgres.Open(e.dsn), &gorm.Config{Logger: logger.Discard, TranslateError: true})
	if err != nil {
		return err
	}
	models := []any{&gormAuthor{}, &gormBook{}, &gormTag{}}
	drop := func() error { return db.Migrator().DropTable("gorm_book_tags", &gormBook{}, &gormAuthor{}, &gormTag{}) }
	e.check(d, "migrate", func(context.Context) error {
		if err := drop(); err != nil {
			return err
		}
		return errors.Join(db.AutoMigrate(models...), db.AutoMigrate(models...))
	})
	e.check(d, "migrate what changed", func(context.Context) error { return gormAltered(db) })
	e.check(d, "reflection", func(context.Context) error { return gormReflection(db) })
	e.check(d, "rows and relations", func(ctx context.Context) error { return gormRows(db.WithContext(ctx)) })
	e.check(d, "queries", func(ctx context.Context) error { return gormQueries(db.WithContext(ctx)) })
	e.check(d, "transactions, savepoints", func(ctx context.Context) error { return gormTransactions(db.WithContext(ctx)) })
	e.check(d, "errors", func(ctx context.Context) error {
		var pg *pgconn.PgError
		err := db.WithContext(ctx).Create(&gormAuthor{Name: "ann"}).Error
		if !errors.Is(err, gorm.ErrDuplicatedKey) {
			return fmt.Errorf("got %w", err)
		}
		err = db.WithContext(ctx).Create(&gormAuthor{Name: "x", Rank: -1}).Error
		if !errors.Is(err, gorm.ErrCheckConstraintViolated) && (!errors.As(err, &pg) || pg.Code != "23514") {
			return fmt.Errorf("got %w", err)
		}
		return nil
	})
	e.check(d, "drop", func(context.Context) error { return drop() })
	c, err := db.DB()
	if err != nil {
		return err
	}
	return c.Close()
}

func gormAltered(db *gorm.DB) error {
	type longer struct {
		ID    uint
		Name  string `gorm:"size:60;not null"`
		Shelf int64  `gorm:"not null;default:3"`
	}
	m := db.Table("gorm_authors").Migrator()
	if err := db.Table("gorm_authors").AutoMigrate(&longer{}); err != nil {
		return err
	}
	if !m.HasColumn("gorm_authors", "shelf") {
		return errors.New("the column was not added")
	}
	return errors.Join(m.RenameColumn("gorm_authors", "shelf", "place"), m.DropColumn("gorm_authors", "place"))
}

func gormReflection(db *gorm.DB) error {
	m := db.Migrator()
	types, err := m.ColumnTypes(&gormAuthor{})
	if err != nil {
		return err
	}
	var got []string
	for _, t := range types {
		null, _ := t.Nullable()
		key, _ := t.PrimaryKey()
		length, _ := t.Length()
		got = append(got, fmt.Sprint(t.Name(), " ", t.DatabaseTypeName(), " ", null, " ", key, " ", length))
	}
	if err := same(got, "[id int8 false true 64 name varchar false false 60 born timestamptz true false 64 rank int8 true false 64 created timestamptz true false 64]"); err != nil {
		return err
	}
	for _, has := range []bool{m.HasTable("gorm_books"), m.HasIndex(&gormBook{}, "gorm_title"), m.HasConstraint(&gormAuthor{}, "gorm_rank"), m.HasConstraint(&gormAuthor{}, "Books")} {
		if !has {
			return errors.New("a table, index or constraint is not seen")
		}
	}
	indexes, err := m.GetIndexes(&gormBook{})
	if err != nil {
		return err
	}
	for _, x := range indexes {
		if x.Name() == "gorm_title" {
			return same(x.Columns(), "[title author_id]")
		}
	}
	return errors.New("no index gorm_title")
}

func gormRows(db *gorm.DB) error {
	ann := gormAuthor{Name: "ann", Books: []gormBook{
		{Title: "one", Price: 2.25, Cover: []byte{0, 255}, Tags: []gormTag{{Word: "old"}, {Word: "red"}}},
		{Title: "two", Price: 1.5, Tags: []gormTag{{Word: "old"}}},
	}}
	if err := errors.Join(db.Create(&ann).Error, db.CreateInBatches([]gormAuthor{{Name: "bob"}, {Name: "cid"}, {Name: "dan"}}, 2).Error); err != nil {
		return err
	}
	if err := db.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "name"}}, DoUpdates: clause.AssignmentColumns([]string{"rank"})}).Create(&gormAuthor{Name: "cid", Rank: 9}).Error; err != nil {
		return err
	}
	var got gormAuthor
	if err := db.Preload("Books.Tags").Preload("Books", func(tx *gorm.DB) *gorm.DB { return tx.Order("title") }).First(&got, "name = ?", "ann").Error; err != nil {
		return err
	}
	if err := same([]any{got.Rank, len(got.Books), got.Books[0].Price, got.Books[0].Cover, len(got.Books[0].Tags)}, "[7 2 2.25 [0 255] 2]"); err != nil {
		return err
	}
	if err := db.Model(&got.Books[1]).Association("Tags").Replace(&gormTag{Word: "new"}); err != nil {
		return err
	}
	n := db.Model(&gormAuthor{}).Where("name IN ?", []string{"bob", "dan"}).Update("rank", gorm.Expr("rank + ?", 1)).RowsAffected
	gone := db.Delete(&got.Books[1]).RowsAffected
	var seen, all int64
	db.Model(&gormBook{}).Count(&seen)
	db.Unscoped().Model(&gormBook{}).Count(&all)
	return same([]int64{n, gone, seen, all}, "[2 1 1 2]")
}

func gormQueries(db *gorm.DB) error {
	var sums []struct {
		Name  string
		N     int
		Total float64
	}
	err := db.Model(&gormAuthor{}).Select("gorm_authors.name, count(b.id) AS n, coalesce(sum(b.price), 0) AS total").Joins("LEFT JOIN gorm_books b ON b.author_id = gorm_authors.id AND b.deleted_at IS NULL").
		Group("gorm_authors.name").Having("count(b.id) >= ?", 0).Order("2 DESC, 1").Limit(2).Scan(&sums).Error
	if err := errors.Join(err, same(sums, "[{ann 1 2.25} {bob 0 0}]")); err != nil {
		return err
	}
	var names []string
	n := 0
	err = db.Model(&gormAuthor{}).FindInBatches(&[]gormAuthor{}, 2, func(*gorm.DB, int) error { n++; return nil }).Error
	err = errors.Join(err, db.Model(&gormAuthor{}).Where(db.Where("rank > 7").Or("name LIKE ?", "a%")).Not("name = ?", "dan").Order("name").Pluck("name", &names).Error)
	return errors.Join(err, same(fmt.Sprint(n, names), "2 [ann bob cid]"))
}

func gormTransactions(db *gorm.DB) error {
	undo := errors.New("undo")
	err := db.Transaction(func(tx *gorm.DB) error {
		if err := tx.Create(&gormAuthor{Name: "kept"}).Error; err != nil {
			return err
		}
		if err := tx.Transaction(func(in *gorm.DB) error { return errors.Join(in.Create(&gormAuthor{Name: "gone"}).Error, undo) }); !errors.Is(err, undo) {
			return err
		}
		var a gormAuthor
		return tx.Clauses(clause.Locking{Strength: "UPDATE", Options: "NOWAIT"}).First(&a, "name = ?", "ann").Error
	})
	var n int64
	db.Model(&gormAuthor{}).Where("name IN ?", []string{"kept", "gone"}).Count(&n)
	return errors.Join(err, same(n, 1))
}
