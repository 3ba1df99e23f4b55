ALTER TABLE book ADD COLUMN year INTEGER;
CREATE INDEX book_by_year ON book (year);
