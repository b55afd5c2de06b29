# nodes.sh -- databases, adapters, broker.  Sourced.

# Which database and items a member's adapter serves: name|items.
serves() {
	case $1 in
	scjg.demo/registry) echo 'registry|SCZTDJ' ;;
	gonganju.demo/population) echo 'population|RKHY' ;;
	zrzy.demo/land) echo 'land|BDCDJ' ;;
	tax.demo/state) echo 'tax-state|QSZM KQYSSSX FPCY' ;;
	tax.demo/local) echo 'tax-local|QSWS' ;;
	esac
}

make_databases() {
	for m in $SERVING; do
		name=$(serves "$m") name=${name%%|*}
		db=$(home "$m")/$name.db
		sqlite3 "$db" <"$TOP/tests/demo/sql/$name.sql"
		demo-data "$name" | sqlite3 "$db" || die "cannot fill $db"
	done
}

# The fields of an item, in order: the keys four deep under record.properties.
fields_of() { # item file
	awk '/^record:/ { in_record = 1 }
	    in_record && /^  properties:/ { in_fields = 1; next }
	    in_fields && /^  [^ ]/ { exit }
	    in_fields && /^    [a-z_0-9]+:/ {
		sub(/:.*/, ""); gsub(/ /, ""); print }' "$1"
}

# The mapping of one item: its statement, and a column for each field.
item_mapping() { # item code, source
	printf '  %s/%s:\n    source: %s\n    statement: |\n' $CATALOG "$1" "$2"
	sed 's/^/      /' "$TOP/tests/demo/sql/statements/$1.sql"
	printf '    columns:\n'
	fields_of "$TOP/schemas/items/$1.yaml" | while read -r field; do
		grep -qiw "$field" "$TOP/tests/demo/sql/statements/$1.sql" ||
			continue
		case $field in
		tzr | bgsx | qlr | mx)
			echo "      $field: {column: $field, as: json}" ;;
		kz | sfhs)
			echo "      $field: {column: $field, as: boolean}" ;;
		cycs)
			echo "      $field: {column: $field, as: integer}" ;;
		*)
			echo "      $field: {column: $field, as: text}" ;;
		esac
	done
}

adapter_conf() { # member
	h=$(home "$1") what=$(serves "$1") db=${what%%|*}
	{
		cat <<-EOF
			root: $A/root.note
			member: $1
			node: main
			keys:
			  signing: main-signing.key
			  transport: main-transport.key
			  sealing: sealing.key
			state: state-main
			sources:
			  $db:
			    timeout: 3s
			    odbc:
			      connect: "Driver=SQLite3;Database=$h/$db.db;ReadOnly=1"
			      must-exist: $h/$db.db
			items:
		EOF
		for code in ${what#*|}; do
			item_mapping "$code" "$db"
		done
	} >"$h/adapter.yaml"
}

broker_conf() {
	cat >"$D/broker/broker.yaml" <<-EOF
		authority: $A
		listen: $ADDRESS
		transport-key: transport.key
		log:
		  dir: log
		  key: log.key
		control: ctl.sock
		audit: audit.sock
	EOF
}

start_broker() {
	broker_conf
	quietly hutong-broker --check "$D/broker/broker.yaml"
	start broker hutong-broker --config "$D/broker/broker.yaml"
	await 10 hutong-broker ctl --config "$D/broker/broker.yaml" status ||
		die "the broker did not start; see $D/run/broker.log"
}

start_adapters() {
	for m in $SERVING; do
		adapter_conf "$m"
		quietly hutong-adapter --check --config "$(home "$m")/adapter.yaml"
		start "adapter-$(echo "$m" | tr / -)" \
		    hutong-adapter --config "$(home "$m")/adapter.yaml"
	done
}
