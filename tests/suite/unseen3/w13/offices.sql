CREATE TABLE office (code TEXT PRIMARY KEY, town TEXT NOT NULL, rate REAL NOT NULL);
INSERT INTO office VALUES ('SVQ', 'Sevilla', 1.2), ('OVD', 'Oviedo', 1.5), ('MAH', 'Mahón', 2.75);
