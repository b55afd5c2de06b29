-- The local tax bureau (tax.demo/local): an older system, with money in fen,
-- dates as YYYYMMDD numbers, times as Unix seconds.  Serves gx.demo/QSWS.
CREATE TABLE T_QS_YW (
    YW_ID    INTEGER PRIMARY KEY,
    SLH      TEXT,                      -- the property office's case number
    HTH      TEXT,                      -- contract number
    DYH      TEXT,                      -- property unit
    WSQK     INTEGER NOT NULL,          -- 1 paid, 2 exempt, 3 untaxed, 4 unpaid
    JMXZ     TEXT,                      -- exemption code, 10 digits
    SWJG     TEXT NOT NULL,             -- 11 digits
    SCSJ     INTEGER NOT NULL           -- made at, Unix seconds
);
CREATE TABLE T_QS_MX (
    YW_ID    INTEGER NOT NULL REFERENCES T_QS_YW,
    NSRSBH   TEXT NOT NULL,
    NSRMC    TEXT NOT NULL,
    ZSXM     TEXT NOT NULL,             -- 10119 deed tax, 10106 income tax
    JSYJ     INTEGER NOT NULL,          -- base, fen
    SL       INTEGER NOT NULL,          -- rate, millionths
    SJJE     INTEGER NOT NULL,          -- paid, fen
    SPHM     TEXT NOT NULL,             -- receipt number, 18 digits
    SSQ_Q    INTEGER NOT NULL,          -- YYYYMMDD
    SSQ_Z    INTEGER NOT NULL,
    JKRQ     INTEGER NOT NULL
);
CREATE INDEX T_QS_YW_SLH ON T_QS_YW (SLH);
CREATE INDEX T_QS_YW_HTH ON T_QS_YW (HTH);
CREATE INDEX T_QS_YW_DYH ON T_QS_YW (DYH);
CREATE INDEX T_QS_MX_YW ON T_QS_MX (YW_ID);
