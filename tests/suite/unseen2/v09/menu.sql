CREATE TABLE dish (name TEXT PRIMARY KEY, price INTEGER NOT NULL);
INSERT INTO dish VALUES ('soup', 550), ('bread', 120);
