#!/bin/sh
# Runs one real Apache Kafka (KRaft, broker and controller in one process) for
# tests. Jars come from Maven Central once (pom.xml), into .cache/kafka.
#
#   kafka.sh fetch      the jars
#   kafka.sh start      fetch, format a fresh directory, start, wait until ready
#   kafka.sh restart    stop and start again on the same directory
#   kafka.sh stop       end it
#   kafka.sh run CMD…   start, run CMD with VELOSTREAM_TEST_KAFKA set, stop
#
# KAFKA_PORT (39092) and the port after it are used; both on 127.0.0.1.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${KAFKA_CACHE:-$root/.cache/kafka}
port=${KAFKA_PORT:-39092}
work=$cache/run-$port
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

fetch() {
	# Fetched again when the pom has changed.
	if [ -f "$cache/fetched" ] && cmp -s "$here/pom.xml" "$cache/fetched"; then
		return
	fi
	command -v mvn >/dev/null || { echo "kafka.sh: mvn (Maven) is needed to fetch Apache Kafka" >&2; exit 1; }
	rm -rf "$cache/libs"
	mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$cache/libs" -DincludeScope=runtime
	cp "$here/pom.xml" "$cache/fetched"
}

kafka() { # class, arguments…: becomes the Java process, so call it in a subshell
	class=$1
	shift
	exec "$java" -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dlog4j2.configurationFile="$here/log4j2.yaml" \
		-cp "$cache/libs/*" "$class" "$@"
}

alive() { [ -f "$work/pid" ] && kill -0 "$(cat "$work/pid")" 2>/dev/null; }

launch() {
	kafka kafka.Kafka "$work/server.properties" >"$work/kafka.log" 2>&1 </dev/null &
	echo $! >"$work/pid"
	i=0
	until grep -q "Kafka Server started" "$work/kafka.log"; do
		i=$((i + 1))
		if [ $i -gt 600 ] || ! alive; then
			echo "kafka.sh: Kafka did not start, see $work/kafka.log" >&2
			tail -20 "$work/kafka.log" >&2
			exit 1
		fi
		sleep 0.1
	done
}

start() {
	fetch
	if alive; then
		echo "kafka.sh: one runs already, process $(cat "$work/pid")" >&2
		exit 1
	fi
	rm -rf "$work"
	mkdir -p "$work"
	sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER@|$((port + 1))|g" -e "s|@DIR@|$work/data|g" \
		"$here/server.properties" >"$work/server.properties"
	(kafka kafka.tools.StorageTool format -t 4L6g3nShT-eMCtK--X86sw -c "$work/server.properties") >"$work/format.log" 2>&1 ||
		{ cat "$work/format.log" >&2; exit 1; }
	launch
}

stop() {
	alive || return 0
	pid=$(cat "$work/pid")
	kill "$pid"
	i=0
	while kill -0 "$pid" 2>/dev/null; do
		i=$((i + 1))
		if [ $i -gt 300 ]; then
			kill -9 "$pid"
		fi
		sleep 0.1
	done
	rm -f "$work/pid"
}

case ${1:-} in
fetch) fetch ;;
start) start ;;
restart)
	stop
	launch
	;;
stop) stop ;;
run)
	shift
	start
	trap stop EXIT
	trap 'exit 130' INT TERM
	VELOSTREAM_TEST_KAFKA=127.0.0.1:$port VELOSTREAM_TEST_KAFKA_CTL="$here/kafka.sh" "$@"
	;;
*)
	sed -n '2,11s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
