"""Thirty minutes of a coverage-guided fuzzer (atheris) on `imaging.codec.decode`: `make fuzz`, prints JSON.

Every input must end as a picture or as one clear sentence, in less than ten seconds and 1.5 GB. Coverage
is that of our codec and of Pillow's readers in Python; the C decoders below them are watched for crashes
only. An input that ends otherwise is kept under --keep, and the run goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import resource
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# As a script Python looks beside this file for the packages, not in the repository's root.
sys.path.insert(0, str(ROOT))

MOST_CPU_S = 10
HUNG_S = 60
"""By the clock, when the fuzzer gives up on an input: six times as much, since other work may share the cores."""
MOST_MB = 1500
MOST_BYTES = 65_536
"""Of one input: larger ones cost time and reach nothing that smaller ones do not."""
MEGAPIXELS = 60
"""What MAX_PHOTO_MEGAPIXELS is by default: a smaller limit would hide the memory a header can ask for."""


def fuzz(keep: Path, seconds: int) -> None:
    """Fuzz in this process until time is up; the fuzzer ends the process itself."""
    import atheris

    with atheris.instrument_imports(include=["PIL", "imaging", "pillow_heif"]):
        from PIL import Image  # noqa: F401 - instrumented on its way in

        from domain.errors import BadPhoto
        from imaging.codec import decode

    counts = dict.fromkeys(("executions", "pictures", "refused", "escaped", "peak_mb"), 0)
    state: dict[str, int | float] = {**counts, "slowest_s": 0.0, "slowest_cpu_s": 0.0}
    noted_at = 0.0
    report = keep / f"run-{time.time_ns()}.json"

    def one_input(data: bytes) -> None:
        nonlocal noted_at
        start, cpu_start = time.perf_counter(), time.process_time()
        try:
            decode(data, max_megapixels=MEGAPIXELS)
            state["pictures"] += 1
        except BadPhoto as refused:
            state["refused"] += 1
            if "\n" in refused.sentence or ": " not in refused.sentence:
                _escaped(keep, data, state)
        except (Exception, SystemExit):  # noqa: BLE001 - whatever else it is, it is the finding
            _escaped(keep, data, state)
        now = time.perf_counter()
        state["executions"] += 1
        state["slowest_s"] = max(state["slowest_s"], round(now - start, 3))
        # On a machine with other work, the time by the clock says more of that work than of the input.
        if (cpu_s := round(time.process_time() - cpu_start, 3)) > state["slowest_cpu_s"]:
            state["slowest_cpu_s"] = cpu_s
            (keep / ("slow-input" if cpu_s > MOST_CPU_S else "slowest")).write_bytes(data)
        if now - noted_at > 5:
            # The fuzzer leaves without unwinding, so what was counted is written as it goes.
            noted_at = now
            state["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            report.write_text(json.dumps(state))

    corpus = keep / "corpus"
    atheris.Setup(
        [
            sys.argv[0],
            str(corpus),
            f"-max_total_time={seconds}",
            f"-timeout={HUNG_S}",
            f"-report_slow_units={HUNG_S}",
            f"-rss_limit_mb={MOST_MB}",
            f"-max_len={MOST_BYTES}",
            f"-artifact_prefix={keep}/",
            "-print_final_stats=1",
            "-verbosity=1",
        ],
        one_input,
    )
    atheris.Fuzz()


def _escaped(keep: Path, data: bytes, state: dict[str, int | float]) -> None:
    """Keep an input whose error is no sentence: one for each place that raises."""
    state["escaped"] += 1
    story = traceback.format_exc()
    where = "".join(line for line in story.splitlines() if line.startswith("  File"))
    name = f"escaped-{hashlib.sha256(where.encode()).hexdigest()[:10]}"
    (keep / name).write_bytes(data)
    (keep / f"{name}.txt").write_text(story)


def _seed(corpus: Path) -> int:
    from tests.imaging.test_mutations import wholes

    corpus.mkdir(parents=True, exist_ok=True)
    for number, whole in enumerate(wholes()):
        (corpus / f"whole-{number:02}").write_bytes(whole)
    return len(wholes())


def main() -> int:
    """Start the fuzzer as often as it dies before time is up; print what was found."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--minutes", type=float, default=30)
    reader.add_argument("--keep", type=Path, default=ROOT / "out" / "fuzz")
    reader.add_argument("--child-seconds", type=int, default=0, help=argparse.SUPPRESS)
    asked = reader.parse_args()
    if asked.child_seconds:
        fuzz(asked.keep, asked.child_seconds)
        return 0
    asked.keep.mkdir(parents=True, exist_ok=True)
    seeds = _seed(asked.keep / "corpus")
    for old in asked.keep.glob("run-*.json"):
        old.unlink()
    end = time.monotonic() + asked.minutes * 60
    deaths = 0
    while (left := int(end - time.monotonic())) > 0:
        child = [sys.executable, __file__, "--child-seconds", str(left), "--keep", str(asked.keep)]
        with (asked.keep / "log.txt").open("a") as log:
            deaths += subprocess.run(child, stdout=log, stderr=log, check=False).returncode != 0
    found = [json.loads(path.read_text()) for path in asked.keep.glob("run-*.json")]
    summary = {
        "minutes": asked.minutes,
        "seeds": seeds,
        **{name: sum(run[name] for run in found) for name in ("executions", "pictures", "refused", "escaped")},
        "killed": deaths,
        **{name: max(run[name] for run in found) for name in ("slowest_s", "slowest_cpu_s", "peak_mb") if found},
        "corpus": sum(1 for _ in (asked.keep / "corpus").iterdir()),
        "kept": sorted(
            path.name
            for path in asked.keep.iterdir()
            if path.name.startswith(("escaped", "crash", "timeout", "oom", "slow-input"))
        ),
    }
    print(json.dumps(summary, indent=2))
    return 1 if summary["kept"] or deaths else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
