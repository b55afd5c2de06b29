-- The state tax bureau (tax.demo/state): dates as YYYY-MM-DD text, money as
-- decimal text.  Serves gx.demo/QSZM, gx.demo/KQYSSSX, gx.demo/FPCY.
CREATE TABLE dj_nsrxx (
    djxh     TEXT PRIMARY KEY,          -- registration serial, 20 digits
    nsrsbh   TEXT NOT NULL UNIQUE,      -- taxpayer number
    nsrmc    TEXT NOT NULL,
    nsrzt_dm TEXT NOT NULL,             -- 03 normal, 05 lost, 07 cancelled
    zgswj_dm TEXT NOT NULL              -- competent authority, 11 digits
);
-- Tax clearances.
CREATE TABLE zx_qszm (
    zmbh     TEXT PRIMARY KEY,
    djxh     TEXT NOT NULL REFERENCES dj_nsrxx,
    jl       TEXT NOT NULL,             -- 1 cleared, 2 not cleared
    sy       TEXT,                      -- why not
    lx       TEXT NOT NULL,             -- 1 general, 2 simple
    sqrq     TEXT NOT NULL,
    cjrq     TEXT NOT NULL,
    swjg_dm  TEXT NOT NULL,
    swjg_mc  TEXT NOT NULL
);
-- Reports of work outside the home region.
CREATE TABLE kqy_bg (
    bgbh     TEXT PRIMARY KEY,
    djxh     TEXT NOT NULL REFERENCES dj_nsrxx,
    hj       TEXT NOT NULL,             -- 01 reported, 02 checked in, 03 longer
    jyd_qh   TEXT NOT NULL,
    jyd_dz   TEXT NOT NULL,
    jyd_swjg TEXT,
    jyfs     TEXT NOT NULL,
    htmc     TEXT NOT NULL,
    htbh     TEXT,
    htje     TEXT NOT NULL,             -- decimal text
    htyxq_q  TEXT NOT NULL,
    htyxq_z  TEXT NOT NULL,
    bgyxq_z  TEXT NOT NULL,
    lxr      TEXT NOT NULL,
    lxdh     TEXT NOT NULL,
    jbr      TEXT NOT NULL,
    byrq     TEXT
);
-- Invoices.
CREATE TABLE fp_zx (
    fpdm     TEXT NOT NULL,             -- '' for fully digital invoices
    fphm     TEXT NOT NULL,
    zl       TEXT NOT NULL,             -- 01 special, 31, 32 fully digital
    zt       TEXT NOT NULL,             -- 0 normal, 2 void, 3 red
    kprq     TEXT NOT NULL,             -- YYYYMMDD
    xfsh     TEXT NOT NULL,
    xfmc     TEXT NOT NULL,
    gfsh     TEXT,
    gfmc     TEXT,
    je       TEXT NOT NULL,             -- without tax
    se       TEXT NOT NULL,
    jshj     TEXT NOT NULL,             -- with tax
    PRIMARY KEY (fpdm, fphm)
);
CREATE INDEX zx_qszm_nsr ON zx_qszm (djxh);
CREATE INDEX kqy_bg_nsr ON kqy_bg (djxh);
