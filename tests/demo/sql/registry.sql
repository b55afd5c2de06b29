-- The market regulation department's register (scjg.demo/registry), as such
-- registers look: upper-case names, dates as YYYYMMDD text, capital in whole
-- yuan, codes of the department's own.  Serves gx.demo/SCZTDJ.
CREATE TABLE ENT_BASE (
    PRIPID    INTEGER PRIMARY KEY,      -- internal key, never leaves the house
    UNISCID   TEXT NOT NULL UNIQUE,     -- unified social credit code
    REGNO     TEXT,                     -- old registration number, 15 digits
    ENTNAME   TEXT NOT NULL,
    ENTTYPE   TEXT NOT NULL,            -- 4 digits
    REGSTATE  TEXT NOT NULL,            -- K open, D revoked, X cancelled, Q moved
    LEREP     TEXT NOT NULL,            -- legal representative
    CERTYPE   TEXT NOT NULL,            -- 10 identity card, 40 passport
    CERNO     TEXT NOT NULL,
    REGCAP    INTEGER,                  -- whole yuan
    ESTDATE   TEXT NOT NULL,            -- YYYYMMDD
    APPRDATE  TEXT NOT NULL,            -- YYYYMMDD
    OPFROM    TEXT,                     -- YYYYMMDD
    OPTO      TEXT,                     -- YYYYMMDD; NULL: no end
    DOM       TEXT NOT NULL,            -- address
    DOMDISTRICT TEXT NOT NULL,          -- 6 digits
    OPSCOPE   TEXT,
    INDUSTRY  TEXT,                     -- a letter and 4 digits
    REGORG    TEXT NOT NULL,            -- 9 digits
    REGORGNAME TEXT NOT NULL,
    TEL       TEXT,
    LASTBIZ   TEXT NOT NULL,            -- 01 set up ... 04 revoked
    CANREA    TEXT                      -- why it was cancelled or revoked
);
CREATE TABLE ENT_INV (
    PRIPID    INTEGER NOT NULL REFERENCES ENT_BASE,
    INV       TEXT NOT NULL,            -- investor
    CERTYPE   TEXT NOT NULL,
    CERNO     TEXT NOT NULL,
    SUBCONAM  INTEGER NOT NULL,         -- yuan
    RATE      INTEGER NOT NULL          -- share in 1/100 of a per cent
);
CREATE TABLE ENT_ALT (
    PRIPID    INTEGER NOT NULL REFERENCES ENT_BASE,
    ALTITEM   TEXT NOT NULL,
    ALTBE     TEXT NOT NULL,
    ALTAF     TEXT NOT NULL,
    ALTDATE   TEXT NOT NULL             -- YYYYMMDD
);
CREATE INDEX ENT_INV_ENT ON ENT_INV (PRIPID);
CREATE INDEX ENT_ALT_ENT ON ENT_ALT (PRIPID);
