create table if not exists note (text text not null);
