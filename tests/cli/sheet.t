#!/bin/bash
# The catalog as a spreadsheet: out, read by a program that shares no code with
# us (Python's csv, its gb18030), changed as spreadsheets change things, and in.
set -u
hutong=$HT_BUILD/hutong
items=$PWD/schemas/items
root=$PWD/tests/fuzz/corpus/trust/root
# shellcheck source=tests/lib/tap.sh
. tests/lib/tap.sh
cd "$dir" || exit 1
# --- out ---
"$hutong" catalog export "$items"/*.yaml --out utf8.csv >out 2>err
ok "the twelve items are exported"
"$hutong" catalog export "$items"/*.yaml --encoding gb18030 --out gb.csv &&
	exits 1 "never overwritten" "$hutong" catalog export "$items"/*.yaml \
		--out gb.csv
ok "in GB 18030 too, and nothing is overwritten"
cat >see.py <<'END'
import csv, sys
rows = {}
for name, encoding in (("utf8.csv", "utf-8-sig"), ("gb.csv", "gb18030")):
    with open(name, encoding=encoding, newline="") as f:
        rows[name] = list(csv.DictReader(f, strict=True))
a, b = rows["utf8.csv"], rows["gb.csv"]
assert a == b, "the encodings differ"
assert len({r["事项编码"] for r in a}) == 12, "not twelve items"
assert len({(r["事项编码"], r["字段"]) for r in a}) == len(a)
one = next(r for r in a if r["字段"] == "ztmc")
assert one["信息项名称"] == "市场主体名称" and one["数据长度"] == "300", one
assert one["共享类型"] == "无条件共享" and one["数据分级"] == "0", one
money = next(r for r in a if r["字段"] == "zczb")
assert (money["数据类型"], money["数据长度"]) == ("数值型N", "18,6"), money
assert not any(c[:1] in "=+-@\t\r" and c for r in a for c in r.values())
END
python3 see.py >out 2>err
ok "Python's csv reads both alike, and finds what is there"

# --- in: as departments fill it in ---
cat >make.py <<'END'
import csv
head = ["信息资源分类", "信息资源名称", "信息资源代码", "信息资源摘要", "信息资源格式",
        "信息项名称", "数据类型", "数据长度", "共享类型", "共享条件", "共享方式",
        "共享范围", "使用用途", "是否向社会开放", "更新周期", "发布日期", "数据分级",
        "共享依据", "事项编码", "提供方标识", "字段", "是否必填", "查询参数"]
rows = [
    ["部门", "排污许可证", "307021022100/000009", "=1+1 的\"摘要\",含逗号", "数据库",
     "许可证编号", "字符型C", "22", "有条件共享", "仅用于核查", "服务接口", "税务机关",
     "ep-tax 环境保护税核查", "否", "实时", "2026/1/8", "0", "HBSF-14 环境保护税法 第十四条",
     "gx.demo/PWXKZ", "hb.demo/ecology", "xkzbh", "是", "是"],
    ["", "", "", "", "", "单位名称", "C", "180", "", "", "", "", "", "", "", "", "0",
     "", "", "", "dwmc", "是", "否"],
    ["", "", "", "", "", "排放量", "N", "18,6", "", "", "", "", "", "", "", "", "1",
     "", "", "", "pfl", "否", "否"],
]
def save(name, encoding, rows, head=head):
    with open(name, "w", encoding=encoding, newline="") as f:
        csv.writer(f).writerows([head] + rows)
save("gb-in.csv", "gb18030", rows)
save("bom-in.csv", "utf-8-sig", rows)
save("utf8-in.csv", "utf-8", rows)
save("utf16.csv", "utf-16", rows)
bad = [r[:] for r in rows]
bad[0][2] = "3.07021E+17"
bad[1][16] = "7"
bad[2][7] = "182"
save("bad.csv", "gb18030", bad)
END
python3 make.py
mkdir d1 d2 d3 d4
same() {
	exits 0 "1 items: 1 drafted" "$hutong" catalog import "$1" --out "$2" &&
		cmp "$2/PWXKZ@1.yaml" d1/PWXKZ@1.yaml
}
same gb-in.csv d1 && same bom-in.csv d2 && same utf8-in.csv d3
ok "Python's GB 18030, UTF-8 with and without mark are drafted alike"
exits 0 "item gx.demo/PWXKZ@1 revision 1, well formed" \
	"$hutong" catalog check d1/PWXKZ@1.yaml
ok "a draft keeps to form and rules"
grep -q 'published: 2026-01-08' d1/PWXKZ@1.yaml &&
	grep -q 'summary: {zh: "=1+1 的\\"摘要\\",含逗号"}' d1/PWXKZ@1.yaml
ok "... with every cell's text, and the day that a spreadsheet rewrote"
"$hutong" catalog export d1/PWXKZ@1.yaml --out again.csv >out 2>err &&
	grep -q "\"'=1+1 的" again.csv && mkdir d5 &&
	"$hutong" catalog import again.csv --out d5 >out 2>err &&
	cmp d5/PWXKZ@1.yaml d1/PWXKZ@1.yaml
ok "its own sheet drafts the same, and holds no formula"
exits 1 "bad.csv:2: 信息资源代码: the spreadsheet made a number of it" \
	"$hutong" catalog import bad.csv --out d4
ok "digits that a spreadsheet lost are told with their line"
sed -i '2d' bad.csv && python3 - <<'END'
import csv
rows = list(csv.reader(open("bad.csv", encoding="gb18030", newline="")))
first = list(csv.reader(open("gb-in.csv", encoding="gb18030", newline="")))[1]
csv.writer(open("bad.csv", "w", encoding="gb18030", newline="")).writerows(
    [rows[0], first] + rows[1:])
END
exits 1 "bad.csv:3: 数据分级: a level from 0" "$hutong" catalog import bad.csv --out d4
ok "every mistake at its line"
grep -q "bad.csv:4: 数据长度: .*makes 182 of it" err && [ -z "$(ls d4)" ]
ok "... all of them, and nothing was written"
exits 1 "utf16.csv:1: this is neither UTF-8 nor GB 18030" \
	"$hutong" catalog import utf16.csv --out d4
ok "another encoding is told"
head -c 700 gb-in.csv | head -c -1 >cut.csv
exits 1 "cut.csv:" "$hutong" catalog import cut.csv --out d4
ok "a file that was cut off is not taken"
head -1 bom-in.csv >head.csv
exits 1 "head.csv has headings and no items" \
	"$hutong" catalog import head.csv --out d4
ok "a sheet of headings alone is no success"
exits 1 "d9, where the drafts are to go, is no folder: make it first" \
	"$hutong" catalog import utf8-in.csv --out d9
ok "a folder that is not there is told, with what to do"
sed 's/,hb.demo\/ecology,xkzbh,是,是/,hb.demo\/ecology,xkzbh,是,yes/
	s/,dwmc,是,否/,xkzbh,也许,否/' utf8-in.csv >word.csv
exits 1 "word.csv:2: 查询参数: 是 or 否 is expected" \
	"$hutong" catalog import word.csv --out d4 &&
	grep -q "word.csv:3: 是否必填: 是 or 否" err &&
	grep -q "word.csv:3: 字段: line 2 has a field of this name" err
ok "no word is quietly a no, and a field that stands twice is told"
exits 1 "never overwritten" "$hutong" catalog import gb-in.csv --out d1
ok "no draft is overwritten"
# --- against the authority's folder ---
mkdir -p auth/items/gx.demo out1 out2 out3 out4
cp "$root" auth/root.note
for f in "$items"/*.yaml; do
	f=${f##*/}
	cp "$items/$f" "auth/items/gx.demo/${f%.yaml}@1.note"
done
"$hutong" catalog export auth --encoding gb18030 --out all.csv >out 2>err &&
	exits 0 "12 items: 0 drafted, 0 changed, 12 as they are" \
		"$hutong" catalog import all.csv --dir auth --out out1 &&
	grep -q "nothing is to be done" out && [ -z "$(ls out1)" ]
ok "the catalog's own sheet comes back, and there is nothing to do"
cat >edit.py <<'END'
import csv
with open("all.csv", encoding="gb18030", newline="") as f:
    rows = list(csv.DictReader(f, strict=True))
def save(name, rows):
    with open(name, "w", encoding="utf-8-sig", newline="") as f:
        w = csv.DictWriter(f, rows[0].keys())
        w.writeheader()
        w.writerows(rows)
def edited(**cells):
    return [dict(r, **(cells.get(r["字段"], {}) | cells.get("item", {})))
            if r["事项编码"] == "gx.demo/SCZTDJ" else r for r in rows]
one = edited(item={"信息资源名称": "市场主体基本信息"}, ztmc={"数据分级": "1"})
last = max(i for i, r in enumerate(one) if r["事项编码"] == "gx.demo/SCZTDJ")
one.insert(last, dict(one[last], 字段="bz", 信息项名称="备注", 数据类型="C",
                      数据长度="200", 数据分级="1", 是否必填="", 查询参数=""))
save("edited.csv", one)
save("breaks.csv", edited(zczb_bz={"是否必填": "是"}))
save("cannot.csv", edited(djlx={"数据类型": "整型I"}, item={"提供方标识": "a.demo/b"}))
END
python3 edit.py
exits 0 "12 items: 0 drafted, 1 changed, 11 as they are" \
	"$hutong" catalog import edited.csv --dir auth --out out2 &&
	[ "$(ls out2)" = SCZTDJ@1.yaml ] && [ "$(grep -c ^edited.csv out)" = 3 ]
ok "an item that was edited is drafted alone, and told a line a cell"
cat >want <<'END'
-revision: 1
-title: {zh: "市场主体登记信息", en: "Market entity registration"}
+revision: 2
+title: {zh: "市场主体基本信息", en: "Market entity registration"}
-      x-level: 0
+      x-level: 1
+    bz: {title: "备注", x-level: 1, type: string, x-bytes: 200}
END
diff -U0 auth/items/gx.demo/SCZTDJ@1.note out2/SCZTDJ@1.yaml |
	grep '^[-+][^-+]' | diff want - >out 2>err
ok "... with just that: lists, rules, comments and the English stay"
exits 0 "revision 2, well formed" "$hutong" catalog check --quiet \
	out2/SCZTDJ@1.yaml
ok "the draft is checked"
exits 0 "'title' changes" "$hutong" catalog diff \
	auth/items/gx.demo/SCZTDJ@1.note out2/SCZTDJ@1.yaml &&
	grep -q "the field ztmc is of level 1, and was of 0" out &&
	grep -q "the item has a new field bz, of level 1" out
ok "... and is told in words"
exits 0 "SCZTDJ@2.yaml: drafted as version 2 of gx.demo/SCZTDJ, after" \
	"$hutong" catalog import breaks.csv --dir auth --out out3 &&
	grep -q "the rule 'required' of the record is another" out &&
	grep -q "revision of gx.demo/SCZTDJ@1 until when it is served" out &&
	"$hutong" catalog check --quiet out3/SCZTDJ@2.yaml >out 2>err
ok "what breaks who uses it is the next version, and why is told"
exits 1 "提供方标识: an item keeps its provider" \
	"$hutong" catalog import cannot.csv --dir auth --out out4 &&
	grep -q "数据类型: it has rules and lists .*by hand" err &&
	[ "$(grep -c ^cannot.csv err)" = 2 ] && [ -z "$(ls out4)" ]
ok "what a sheet cannot change is told, once, and nothing is written"
exits 2 "--encoding is utf-8" "$hutong" catalog export d1/PWXKZ@1.yaml \
	--encoding latin1
ok "no other encoding"
echo "1..$n"
