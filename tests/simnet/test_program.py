#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program simnet as people have it: test_program.py SIMNET SCENARIOS CASE

CASE is the name of a scenario, which is run twice in a small form and has to be the same twice, or
one of the tests below.
"""
import json
import pathlib
import pty
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

SIMNET = sys.argv[1]
SCENARIOS = pathlib.Path(sys.argv[2])
SMALL = ["--nodes", "60"]
# What would take too long of a scenario that lasts, or needs many nodes.
SMALLER = {
    "churn": ["--set", "phases.faults=2h", "--set", "resolve.for=110min", "--set", "resolve.count=400"],
    "flood": ["--set", "phases.faults=20s", "--set", "resolve.for=10s", "--set", "resolve.count=100",
              "--set", "adversary flooders.share=5%"],
    "lookups": ["--set", "resolve.count=1000", "--set", "publish.names=100"],
    "loss": ["--set", "resolve.count=1200"],
}
QUICK = ["--nodes", "40", "--set", "network.join=10s", "--set", "phases.warm-up=1min", "--set",
         "publish.names=10", "--set", "publish.over=10s", "--set", "resolve.count=50", "--set",
         "resolve.for=5s", "--set", "phases.faults=10s"]


def simnet(*args, check=None):
    run = subprocess.run([SIMNET, *map(str, args)], capture_output=True, text=True, timeout=200)
    if check is not None and run.returncode != check:
        raise SystemExit(f"{args}: exit {run.returncode}, not {check}\n{run.stdout}{run.stderr}")
    return run


def expect(what, truth):
    if not truth:
        raise SystemExit(f"not so: {what}")


def scenario_twice(name):
    path = SCENARIOS / f"{name}.ini"
    args = ["run", path, *SMALL, *SMALLER.get(name, []), "--json"]
    reports = []
    for _ in range(2):
        run = simnet(*args)
        # A small network need not keep what a large one promises.
        expect(f"{run.stderr}", run.returncode in (0, 1))
        # Many machines share an address there: a reply made smaller for it must not deny a name.
        expect(f"{name} finds all names", run.returncode == 0 or name != "nat-mix")
        reports.append(json.loads(run.stdout))
    first, second = reports
    expect("the same trace", first["trace_hash"] == second["trace_hash"])
    for key in ("names", "lookups", "healed_lookups", "traffic", "elements", "counters", "checks"):
        expect(f"the same {key}", first[key] == second[key])
    expect("nodes", first["size"]["nodes"] == 60 and first["whole"])
    expect("all names are published", first["names"]["published"] == first["names"]["begun"])
    recall = first["healed_lookups"]["recall"]
    expect(f"recall: {recall}", (recall is not None) == (name == "partition")
           and (recall is None or 0.9 < recall <= 1))
    failed = [check for check in first["checks"] if check["name"] == "checkers" and not check["held"]]
    expect(f"no checker fails: {failed}", not failed)
    other = json.loads(simnet(*args, "--seed", "2").stdout)
    expect("another seed, another trace", other["trace_hash"] != first["trace_hash"])
    header = path.read_text().split("\n\n[")[0]
    expect("a header that says what it shows", header.startswith("# ") and "Shows" in header
           and "Look at" in header and "Takes about" in header)


def errors():
    """Each mistake is one line on stderr, and exit code 2."""
    rows = [
        ([], "which command?"),
        (["walk"], "there is no command walk"),
        (["run"], "which scenario?"),
        (["run", ""], "which scenario? its name is empty"),
        (["run", "/nowhere/a.ini"], "/nowhere/a.ini: cannot be opened: No such file"),
        (["run", SCENARIOS / "static.ini", "--nodes"], "--nodes needs a value"),
        (["run", SCENARIOS / "static.ini", "--nodes", "1"], "nodes: \"1\" does not fit"),
        (["run", SCENARIOS / "static.ini", "--nodes", "x"], "simnet: --nodes x: nodes: \"x\""),
        (["run", SCENARIOS / "static.ini", "--seed=x"], "simnet: --seed x: seed: \"x\" does not fit"),
        (["run", SCENARIOS / "static.ini", "--set", "loss.rate=0.3"], "expected a percentage"),
        (["run", SCENARIOS / "static.ini", "--colour"], "there is no option --colour"),
        (["run", SCENARIOS / "static.ini", "--pcap", "/tmp/x"], "--pcap and --machine go together"),
        (["run", SCENARIOS / "static.ini", "--json=yes"], "--json takes no value"),
        (["run", "a.ini", "b.ini"], "one scenario at a time"),
        (["run", "."], ".: cannot be read: Is a directory"),
        (["run", SCENARIOS / "static.ini", "--report", "/nowhere/x"], "/nowhere/x: cannot be made"),
        (["run", SCENARIOS / "static.ini", "--report", "/dev/null"], "/dev/null/report.txt: cannot"),
        (["--json", "replay", "a.rec"], "replay comes first: expected simnet replay FILE"),
        (["replay", "--", "--no.rec"], "--no.rec: cannot be opened: No such file"),
        (["replay", "-q", "no.rec"], "no.rec: cannot be opened: No such file"),
        (["run", SCENARIOS / "third-lost.ini", "--set", "event thrid.share=5%"],
         "simnet: --set event thrid.share=5%: there is no [event thrid], only [event third]: a new one needs kind"),
        (["replay"], "which recording? expected a file"),
        (["replay", ""], "which recording? its name is empty"),
        (["replay", "a.rec", "b.rec"], "one recording at a time: what is b.rec?"),
        (["replay", "--nodes", "3"], "replay has no option --nodes"),
        (["replay", "."], ".: is a directory"),
        (["trace", SCENARIOS / "static.ini"], "which lookup?"),
        (["trace", SCENARIOS / "static.ini", *QUICK, "--lookup", "50"], "there are lookups 0 to 49"),
        (["trace", SCENARIOS / "static.ini", *QUICK, "--set", "resolve.count=0", "--lookup", "0"],
         "the scenario makes no lookups"),
        (["run", SCENARIOS / "static.ini", *QUICK, "--pcap", "/tmp/x", "--machine", "40"],
         "there are machines 0 to 39"),
    ]
    for args, text in rows:
        run = simnet(*args, check=2)
        expect(f"{args} says {text}: {run.stderr}", text in run.stderr)
        expect(f"{args}: one line", run.stderr.count("\n") == 1 and run.stderr.startswith("simnet: "))
        expect(f"{args}: nothing on stdout", run.stdout == "")
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write("[network]\nnodes = 40\n\n[loss]\nrate = 3\n")
        file.flush()
        run = simnet("run", file.name, check=2)
        expect(run.stderr, run.stderr.startswith(f"simnet: {file.name}:5: rate: "))
    expect("help", "simnet run" in simnet("--help", check=0).stdout)
    text = simnet("replay", "-h", check=0).stdout
    expect("help", text.startswith("usage: simnet replay") and "--json" in text and "--quiet" in text)
    with open("/dev/full", "w") as full:
        for args in (["replay", "-h"], ["--help"]):
            run = subprocess.run([SIMNET, *args], stdout=full, stderr=subprocess.PIPE, text=True)
            expect(f"{args} on a full disk", run.returncode == 1 and "not be written" in run.stderr)
    expect("help", simnet("help", check=0).stdout == simnet("run", "--help", check=0).stdout)
    expect("version", re.fullmatch(r"simnet \d+\.\d+\.\d+\n", simnet("--version", check=0).stdout))


def checks():
    """A check that fails is exit code 1, and told."""
    run = simnet("run", SCENARIOS / "static.ini", *QUICK, check=0)
    expect("the page", "all 2 held" in run.stdout and run.stderr == "")
    run = simnet("run", SCENARIOS / "static.ini", *QUICK, "--set", "resolve.count=1200", check=0)
    expect(run.stdout, re.search(r"^  made +1,200\n(  .*\n)*  found +1,200$", run.stdout, re.M))
    run = simnet("run", SCENARIOS / "static.ini", *QUICK, "--set", "check.p50=1ms", "-q", check=1)
    expect("what failed", run.stderr == "simnet: 1 of 3 checks failed\n" and run.stdout == "")

    nothing = ["--set", "publish.names=0", "--set", "resolve.count=0"]
    wanted = [item for key in ("p50=1s", "p99=1s", "worst=50%") for item in ("--set", f"check.{key}")]
    run = simnet("run", SCENARIOS / "static.ini", *QUICK, *nothing, *wanted, check=1)
    expect(f"nothing is no success: {run.stdout}", run.stdout.count("nothing was looked up") == 2
           and run.stdout.count("nothing was answered") == 2 and "-0 ms" not in run.stdout)
    # 40 nodes that take 64 sessions each: what is more is refused, and has failed.
    crowd = ["--set", "resolve.count=20000", "--set", "resolve.for=1us", "--set", "check.interval=2s"]
    lookups = json.loads(simnet("run", SCENARIOS / "static.ini", *QUICK, *crowd, "--json",
                                check=1).stdout)["lookups"]
    outcomes = lookups["outcomes"]
    expect(f"refused: {outcomes}", outcomes["refused"] > 0 and outcomes["gone"] == 0)
    expect("they count", lookups["success"] == outcomes["found"] / lookups["made"]
           and lookups["worst"]["counted"] == lookups["made"])


def drops():
    """Whatever is sent arrives, is dropped by an element that is told, or finds nobody."""
    rows = {
        "rate": ["rate.up=16000", "rate.down=16000", "rate.queue=1500"],
        "nat": ["nat.port-restricted=30%", "nat.cgnat=30%"],
        "firewall": ["machines.unreachable=50%"],
        "loss": ["loss.rate=30%"],
    }
    for name, settings in rows.items():
        args = ["run", SCENARIOS / "static.ini", *QUICK, "--set", "check.success=0%"]
        for setting in settings:
            args += ["--set", setting]
        report = json.loads(simnet(*args, "--json").stdout)
        elements = {each["element"]: each for each in report["elements"]}
        dropped = elements[name]["packets_dropped"]
        size = report["size"]
        lost = size["packets_sent"] - size["packets_delivered"] - report["packets_to_nobody"]
        told = sum(each["packets_dropped"] for each in report["elements"])
        expect(f"{name}: {dropped} dropped", dropped > 5)
        expect(f"{name}: {told} of {lost} told, but for what is under way", told <= lost < told + 300)
        expect("each once", len(elements) == len(report["elements"]))
        text = simnet(*args).stdout
        line = rf"^  {name} +{dropped:,}, [0-9.]+% of what it saw$"
        expect(f"{name} in the text:\n{text}", re.search(line, text, re.M))


def show():
    """What is shown is the scenario again."""
    first = simnet("show", SCENARIOS / "sybil.ini", "--seed", "7", check=0).stdout
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(first)
        file.flush()
        expect("the same", simnet("show", file.name, check=0).stdout == first)
    expect("the seed", "\nseed = 7\n" in first)


def report():
    """A folder with everything; its scenario runs the same."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "report"
        simnet("run", SCENARIOS / "static.ini", *QUICK, "--report", out, check=0)
        names = {path.name for path in out.iterdir()}
        wanted = {"report.txt", "report.json", "scenario.ini", "plots.gp"}
        plots = ["latency", "hops", "messages", "bytes", "nodes", "success"]
        if shutil.which("gnuplot"):
            wanted |= {f"{plot}.{kind}" for plot in plots for kind in ("png", "svg")}
        expect(f"all files are there: {wanted - names}", wanted <= names)
        for path in out.glob("*.png"):
            expect(f"{path.name} is a picture", path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n")
            expect(f"{path.name} shows something", path.stat().st_size > 8000)
        for path in out.glob("*.svg"):
            expect(f"{path.name} has a title", "static · 40 nodes · seed 1" in path.read_text())
        report = json.loads((out / "report.json").read_text())
        again = json.loads(simnet("run", out / "scenario.ini", "--json", check=0).stdout)
        expect("the same again", again["trace_hash"] == report["trace_hash"])
        expect("the hash is in the text", report["trace_hash"] in (out / "report.txt").read_text())
        script = (out / "plots.gp").read_text()
        expect("no faults are shown where there are none", "'faults'" not in script
               and "'lookups' at" in script and "set object 1" not in script)
        titles = re.findall(r"set title \"\{/:Bold=18 (.+?)\}", script)
        expect(titles, {"Success of lookups over time", "Nodes up"} < set(titles) and len(titles) == 12)
        labels = re.findall(r"^set [xy]label '(.+?)'", script, re.M)
        expect(labels, labels.count("lookups that found their name") == 2 and len(labels) == 24)
        expect("labels that lie on no line", "with labels boxed" in script
               and ("'idle:" not in script or "graph 1.01" in script))
        empty = dict(os.environ, PATH="/nowhere")
        run = subprocess.run([SIMNET, "run", SCENARIOS / "static.ini", *QUICK, "-q", "--report", out],
                             env=empty, capture_output=True, text=True)
        expect("no gnuplot, one line, and no failure", run.returncode == 0
               and run.stderr.count("\n") == 1 and "gnuplot" in run.stderr)
        run = simnet("run", SCENARIOS / "static.ini", *QUICK, "-q", "--report", "/nowhere/x", check=2)
        expect(run.stderr, "/nowhere/x: cannot be made" in run.stderr)


def machines():
    """Nodes are those of the scenario; churn and adversaries bring more machines."""
    rows = {
        "those of the nodes": ([], 40, 40, "40, 40 with a node up at the end"),
        "adversaries that join": (["adversary late.kind=silent", "adversary late.count=3"], 43, 43,
                                  "43, 40 with an honest node up at the end"),
        "turned nodes": (["adversary turned.kind=silent", "adversary turned.share=10%"], 40, 40,
                         "40, 36 with an honest node up at the end"),
        "spares of churn": (["churn.session=20s", "churn.gap=20s"], 60, 200, None),
    }
    for name, (settings, least, most, line) in rows.items():
        args = ["run", SCENARIOS / "static.ini", *QUICK, "--set", "check.success=0%"]
        for setting in settings:
            args += ["--set", setting]
        size = json.loads(simnet(*args, "--json").stdout)["size"]
        expect(f"{name}: {size}", size["nodes"] == 40 and least <= size["machines"] <= most)
        for key, count in (("memory_bytes_per_node", 40), ("memory_bytes_per_machine", size["machines"])):
            expect(f"{name}: {size}", abs(size[key] * count - size["memory_bytes"]) < 1)
        text = simnet(*args).stdout
        told = re.search(r"^  nodes +40\n  machines +(.*)\n  memory +([\d.]+) MB, ([\d.]+) kB a machine$", text, re.M)
        expect(f"{name}: {text}", told and line in (None, told[1]))
        ratio = 1000 * float(told[2]) / float(told[3])
        expect(f"{name}: {ratio}", abs(ratio / size["machines"] - 1) < 0.02)


def manners():
    """Who is rude is counted; a name that is withdrawn is rightly not found."""
    args = ["run", SCENARIOS / "static.ini", *QUICK]
    for setting in ("phases.faults=2min", "resolve.for=110s", "resolve.count=1000",
                    "resolve.rude=40%", "publish.change=20s", "publish.withdraw=40%",
                    "publish.rude=20%", "network.cache-max=0"):
        args += ["--set", setting]
    text = simnet(*args, check=0).stdout
    report = json.loads(simnet(*args, "--json", check=0).stdout)
    lookups, names = report["lookups"], report["names"]
    for manner in ("cancelled", "hung up", "asked twice", "stopped reading"):
        expect(f"somebody {manner}", lookups["manners"][manner] > 0)
        expect(f"{manner}, in the text", re.search(rf"^  {manner} +\d+ askers$", text, re.M))
    expect("names are withdrawn, and published again",
           names["withdrawals"] > 10 and names["changes"] > 10 and names["requests_broken_off"] > 0)
    expect("withdrawn, in the text", re.search(r"^  withdrawn +\d+ times$", text, re.M))
    expect("so they are not found, and that is right",
           lookups["outcomes"]["withdrawn"] > 10 and lookups["success"] == 1)
    expect("dropped lookups do not count", lookups["outcomes"]["dropped"] > 100)


def trace():
    """The story of a lookup: each hop, and the end."""
    args = ["trace", SCENARIOS / "third-lost.ini", "--nodes", "100", "--set", "resolve.count=20",
            "--lookup", "3"]
    story = simnet(*args, check=0).stdout
    hops = re.findall(r"^ +[\d.]+ ms +(?:[\d.]+ ms|-) +\d+ +(?:\d+|\?) +\S+:\d+ ", story, re.M)
    expect(f"there are hops:\n{story}", len(hops) >= 1)
    for text in ("lookup   3, at t0 + ", "and A RECORD, number ", "target   ", "the first answer, verified",
                 "found after"):
        expect(f"{text} in\n{story}", text in story)
    asked = int(re.search(r"(\d+) nodes? asked", story)[1])
    expect("no more hops than questions", len(hops) <= asked)
    expect("the same again", simnet(*args, check=0).stdout == story)
    expect(f"one is one\n{story}", not re.search(r"\b1 (hops|nodes|endpoints)\b", story))
    # It is the lookup that the run measures, not another.
    only = [*args[1:4], "--set", "resolve.count=1"]
    measured = json.loads(simnet("run", *only, "--json").stdout)["lookups"]
    story = simnet("trace", *only, "--lookup", 0, check=0).stdout
    for key, words in (("first_answer_ms", "found after"), ("end_ms", "at its end after")):
        ms = float(re.search(rf"{words} ([\d.]+) ms", story)[1])
        expect(f"{words} {measured[key]['max']} ms:\n{story}", abs(ms - measured[key]["max"]) < 0.051)
    expect(f"{measured}:\n{story}", f", {measured['nodes_asked']['max']:.0f} nodes asked" in story)
    whole = simnet(*args, "--set", "resolve.wait=all", check=0).stdout
    expect("who waits for all asks more", int(re.search(r"(\d+) nodes? asked", whole)[1]) > asked)
    # The rows and the last line agree; a node that is asked again is one node.
    again = 0
    for scenario in ("third-lost", "nat-mix"):
        for lookup in ("3", "11"):
            whole = simnet("trace", SCENARIOS / f"{scenario}.ini", "--nodes", "100", "--set", "resolve.count=20",
                           "--set", "resolve.wait=all", "--lookup", lookup, check=0).stdout
            rows = re.findall(r"^ +[\d.]+ ms +([\d.]+ ms|-) +(\d+) +(?:\d+|\?) +(\S+:\d+) +\S+ +(again: )?", whole, re.M)
            hops, asked, answered = map(int, re.search(r": (\d+) hops?, (\d+) nodes? asked, (\d+) answered",
                                                       whole).groups())
            depths = [int(depth) for rtt, depth, _, _ in rows if rtt != "-"]
            again += sum(1 for row in rows if row[3])
            expect(f"{hops} hops in\n{whole}", max(depths) == hops)
            expect(f"{asked} asked in\n{whole}", sum(1 for row in rows if not row[3]) == asked)
            expect(f"{answered} answered in\n{whole}", len({row[2] for row in rows if row[0] != "-"}) == answered)
    expect("some are asked again", again > 0)
    # Who is cut off hears of no work; what was told counts.
    short = simnet(*args, "--set", "resolve.timeout=60ms", "--set", "resolve.wait=all", check=0).stdout
    told = len(re.findall(r"^ +[\d.]+ ms +(?:[\d.]+ ms|-) +\d+ +(?:\d+|\?) +\S+:\d+ ", short, re.M))
    asked = int(re.search(r"(\d+) nodes? asked", short)[1])
    expect(f"{told} hops told, {asked} asked:\n{short}", told == 0 or asked >= told)
    six = simnet(*args, "--set", "network.families=ipv6", check=0).stdout.split("\n")
    head = next(i for i, text in enumerate(six) if "what came back" in text)
    expect("columns", six[head + 1][six[head].index("what came back") - 1] == " ")


def pcap():
    """What Wireshark makes of a capture."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "machine.pcap"
        late = ["--set", "adversary late.kind=silent", "--set", "adversary late.count=3", "--pcap", path,
                "--machine"]
        simnet("run", SCENARIOS / "static.ini", *QUICK, "-q", *late, "42", "--set", "check.success=0")
        expect("one who joins later", path.stat().st_size > 1000)
        run = simnet("run", SCENARIOS / "static.ini", *QUICK, "-q", *late, "43", check=2)
        expect(run.stderr, "there are machines 0 to 42" in run.stderr)
        before = path.read_bytes()
        simnet("trace", SCENARIOS / "static.ini", *QUICK, "--lookup", "50", "--pcap", path, "--machine", "1",
               check=2)
        expect("a capture is kept where nothing is traced", path.read_bytes() == before)
        for family in ("ipv4", "ipv6"):
            simnet("run", SCENARIOS / "static.ini", *QUICK, "-q", "--set", f"network.families={family}",
                   "--pcap", path, "--machine", "7", check=0)
            expect("a pcap file", path.read_bytes()[:4] == b"\xd4\xc3\xb2\xa1")
            if not shutil.which("tshark"):
                print("tshark is not installed: the capture was not read")
                return
            fields = ["-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields",
                      "-e", "udp.srcport", "-e", "udp.dstport", "-e", "udp.checksum.status", "-e",
                      "_ws.malformed"]
            first = tshark(path, fields)
            expect("packets", len(first) > 100)
            ports = [set(line.split("\t")[:2]) for line in first]
            own = set.intersection(*ports)
            expect("one machine's", len(own) == 1)
            expect("good checksums", all(line.split("\t")[2] == "1" for line in first))
            lines = tshark(path, ["-d", f"udp.port=={own.pop()},bt-dht", "-T", "fields", "-e",
                                  "_ws.malformed", "-e", "frame.protocols"])
            expect("nothing malformed", not any(line.split("\t")[0] for line in lines))
            expect("BitTorrent DHT", all("bt-dht" in line for line in lines))


def tshark(path, args):
    run = subprocess.run(["tshark", "-r", path, *args], capture_output=True, text=True, check=True)
    return run.stdout.rstrip("\n").split("\n")


def interrupt():
    """SIGINT ends a run early, with a report on what there was; a terminal sees progress."""
    terminal, other = pty.openpty()
    run = subprocess.Popen([SIMNET, "run", SCENARIOS / "churn.ini", "--set", "network.nodes=200"],
                           stdout=subprocess.PIPE, stderr=other, text=True,
                           env=dict(os.environ, TERM="xterm"))
    os.close(other)
    seen = b""
    while b"messages/s" not in seen:
        seen += os.read(terminal, 4096)
    run.send_signal(signal.SIGINT)
    page = run.stdout.read()
    run.wait()
    os.close(terminal)
    expect("progress", "virtual" in seen.decode() and "nodes" in seen.decode())
    expect(f"a report\n{page}", "ENDED EARLY" in page and "Packets dropped" in page)
    expect("an exit code of its own", run.returncode in (0, 1))


def docs():
    """The manual, the help and the completions know every option and command."""
    root = SCENARIOS.parent.parent
    options = re.findall(r'\{"--([a-z]+)", (?:NULL|"-[a-zA-Z]"), (?:true|false), take_|\{"--(set)"',
                         (root / "simnet" / "options.c").read_text())
    options = [one or other for one, other in options]
    expect(f"options: {options}", len(options) == 11)
    commands = ["run", "trace", "show", "replay", "help"]
    manual = (root / "docs/man/simnet.1").read_text().replace("\\-", "-")
    texts = [simnet("--help").stdout, manual + "simnet help"]
    texts += [(root / "packaging/completion" / name).read_text()
              for name in ("simnet.bash", "_simnet", "simnet.fish")]
    for text in texts:
        for option in options:
            expect(f"--{option} in {text}", re.search(rf"(--|-l ){option}\b", text))
        for command in commands:
            expect(f"{command} in {text}", re.search(rf"\b{command}\b", text))
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _simnet; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    for words, wanted in ((["tr"], ["trace"]), (["run", "--re"], ["--report"]),
                          (["--nodes", "3", "sh"], ["show"]), (["trace", "x.ini", "--lo"], ["--lookup"]),
                          (["show", "--re"], [])):
        run = subprocess.run(["bash", "-c", script, "bash", root / "packaging/completion/simnet.bash",
                              "simnet", *words], capture_output=True, text=True, check=True)
        expect(f"{words}: {run.stdout}", run.stdout.split() == wanted)
    page = (root / "docs" / "simulation.md").read_text()
    for path in SCENARIOS.glob("*.ini"):
        expect(f"{path.stem} is in the page", f"| `{path.stem}` |" in page)


TESTS = {test.__name__: test for test in (errors, checks, docs, drops, show, report, machines, manners, trace, pcap, interrupt)}

if __name__ == "__main__":
    if sys.argv[3] in TESTS:
        TESTS[sys.argv[3]]()
    else:
        scenario_twice(sys.argv[3])
