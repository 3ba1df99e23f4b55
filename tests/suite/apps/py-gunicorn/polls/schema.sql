create table choice (name text primary key, votes integer not null default 0);
insert into choice (name) values ('tea'), ('coffee');
