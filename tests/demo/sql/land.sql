-- The natural-resources department's property cases (zrzy.demo/land): dates
-- as YYYY/MM/DD text, areas in 1/100 of a square metre, money in fen.  Serves
-- gx.demo/BDCDJ.
CREATE TABLE bdc_case (
    case_id     INTEGER PRIMARY KEY,
    case_no     TEXT NOT NULL UNIQUE,   -- acceptance number
    contract_no TEXT,
    reg_type    TEXT NOT NULL,          -- 1 first, 2 transfer, 3 change, 4 end
    how_got     TEXT NOT NULL,          -- buy, gift, inherit, swap
    unit_no     TEXT NOT NULL,          -- 28 characters
    cert_no     TEXT,
    located     TEXT NOT NULL,
    area_code   TEXT NOT NULL,          -- 6 digits
    used_for    TEXT,                   -- 2 digits
    build_area  INTEGER NOT NULL,       -- 0.01 square metre
    inner_area  INTEGER,                -- 0.01 square metre
    price_fen   INTEGER NOT NULL,
    tax_in      INTEGER NOT NULL,       -- 1: the price includes tax
    signed_on   TEXT NOT NULL,          -- YYYY/MM/DD
    accepted_on TEXT NOT NULL,          -- YYYY/MM/DD
    office      TEXT NOT NULL           -- credit code of the office
);
CREATE TABLE bdc_party (
    case_id     INTEGER NOT NULL REFERENCES bdc_case,
    side        TEXT NOT NULL,          -- S seller, B buyer
    full_name   TEXT NOT NULL,
    id_type     TEXT NOT NULL,          -- 201 identity card
    id_no       TEXT NOT NULL,
    holding     TEXT NOT NULL,          -- 0 alone, 1 together, 2 by shares
    share_pct   INTEGER                 -- 1/10000 of a per cent, if by shares
);
CREATE INDEX bdc_case_unit ON bdc_case (unit_no);
CREATE INDEX bdc_party_case ON bdc_party (case_id);
