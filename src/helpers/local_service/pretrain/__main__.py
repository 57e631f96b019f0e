"""The recipe that made the bases: tokenizer, pretraining, export, benchmark and model card.

    python -m helpers.local_service.pretrain                        all of it, for pocket-6m, into build/pretrain
    python -m helpers.local_service.pretrain --base pocket-1m
    python -m helpers.local_service.pretrain --start-from BASE      go on from a finished base's folder; grow a smaller one
    python -m helpers.local_service.pretrain sample                 print some of the corpus
    python -m helpers.local_service.pretrain tokenizer|train|export|card

A run can be stopped at any time; started again, it goes on from its last checkpoint. On a CPU one process a core is
faster than one process with all of them:

    OMP_NUM_THREADS=1 torchrun --nproc-per-node 2 -m helpers.local_service.pretrain train
"""

import argparse
import dataclasses
import itertools
import shutil
from pathlib import Path

from . import corpus

BASES = Path(__file__).parents[1] / "bases"
STAGES = ("tokenizer", "train", "export", "card")


def sample(count: int, seed: int) -> None:
    """Print `count` tasks of the corpus."""
    for task in itertools.islice(corpus.tasks(seed), count):
        print("\n" + "-" * 60)
        for message in task.messages:
            print(f"[{message['role']}] {message['content']}")


def main() -> None:
    """Run the stages asked for."""
    parser = argparse.ArgumentParser(prog="python -m helpers.local_service.pretrain", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument(
        "stages", nargs="*", default=list(STAGES), choices=[*STAGES, "benchmark", "sample"], metavar="stage"
    )
    parser.add_argument("--base", default="pocket-6m", help="which recipe (default pocket-6m)")
    parser.add_argument("--folder", type=Path, default=Path("build/pretrain"), help="working folder of the run")
    parser.add_argument(
        "--start-from", type=Path, metavar="BASE", help="go on from a finished base's weights, grown if smaller"
    )
    parser.add_argument("--target", type=Path, help="where the finished base goes (default: bases/ in the package)")
    parser.add_argument("--items", type=int, default=100, help="benchmark items a skill and column")
    parser.add_argument(
        "--shots", type=int, default=0, help="solved examples before each benchmark item (default none)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=NUMBER", help="change a field of the recipe"
    )
    options = parser.parse_args()
    if "sample" in options.stages:
        sample(20, seed=7)
        return
    from . import benchmark, card, tokenizer, train  # torch: only where it is needed

    folder, target = options.folder / options.base, options.target or BASES / options.base
    recipe = train.RECIPES[options.base]
    for change in options.set:
        name, _, number = change.partition("=")
        recipe = dataclasses.replace(recipe, **{name: type(getattr(recipe, name))(number)})
    if options.start_from and not (folder / "tokenizer.model").exists():
        folder.mkdir(parents=True, exist_ok=True)  # its weights go with its own words
        for name in train.WORDS:
            shutil.copy2(options.start_from / name, folder)
    if "tokenizer" in options.stages and not (folder / "tokenizer.model").exists():
        tokenizer.train(folder, vocabulary=4096, documents=120_000, seed=3)
    if "train" in options.stages:
        trainer = train.Trainer(recipe, folder)
        if options.start_from:
            trainer.start_from(options.start_from)
        trainer.run()
    if "export" in options.stages:
        train.export(folder, target)
    if "benchmark" in options.stages or "card" in options.stages:
        table = benchmark.table(benchmark.score(benchmark.generate_with(target), options.items, shots=options.shots))
        print(table)
        if "card" in options.stages:
            card.write(folder, target, table, options.items)


if __name__ == "__main__":
    main()
