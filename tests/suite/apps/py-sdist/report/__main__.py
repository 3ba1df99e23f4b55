import sys
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import libpq_version, parse_dsn

if sys.argv[1:]:
    print(parse_dsn(sys.argv[1])["host"])
else:
    query = Path("report/query.sql").read_text().strip()
    print(query, libpq_version() > 150000, sql.SQL(query).string == query, psycopg2.paramstyle)
