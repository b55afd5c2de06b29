-- Public security's population register (gonganju.demo/population): pinyin
-- column names, birth dates and update dates as YYYYMMDD text.  Serves
-- gx.demo/RKHY.
CREATE TABLE czrk_jbxx (
    sfzh  TEXT PRIMARY KEY,             -- citizen id
    xm    TEXT NOT NULL,                -- name
    xb    TEXT NOT NULL,                -- 1 male, 2 female
    csrq  TEXT NOT NULL,                -- YYYYMMDD
    hjqh  TEXT NOT NULL,                -- region, 6 digits
    rkzt  TEXT NOT NULL,                -- 0 present, 1 dead, 2 cancelled
    gxrq  TEXT NOT NULL                 -- last change, YYYYMMDD
);
