#!/usr/bin/env python3
"""Collects the disaggregated recipes of InferenceX sweeps into core/planner/recipes/inference_x.csv.

usage: collect-recipes.py REPOSITORY > OUT     REPOSITORY: a clone of SemiAnalysisAI/InferenceX

All states of nvidia-master.yaml between October 2025 and April 2026. One line a recipe: since when it stands there, how many instances
read prompts and write answers, their ranks, and drafted tokens. Numbers of drafted tokens stand in the names of the files that TensorRT-LLM recipes
point to; SGLang's start with two steps (perf-changelog.yaml, pull request 626). Needs PyYAML.
"""
import re, subprocess, sys

import yaml

FILES = (".github/configs/nvidia-master.yaml", "configs/nvidia-master.yaml")
MODELS = {"dsr1": "DeepSeek-R1", "gptoss": "gpt-oss-120b", "kimik2.5": "Kimi-K2.5", "glm5": "GLM-5", "qwen3.5": "Qwen3.5-397B-A17B",
          "minimaxm2.5": "MiniMax-M2.5"}
ENGINES = {"dynamo-trt": "trtllm", "dynamo-sglang": "sglang", "dynamo-vllm": "vllm"}


def git(repository, *arguments):
    return subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True).stdout


def drafted(entry):
    if entry.get("spec-decoding", "none") == "none":
        return 0
    named = re.search(r"mtp[-_]?(\d)", str(entry))
    return int(named.group(1)) if named else 2


def ranks(part):
    tp, groups = part["tp"], bool(part.get("dp-attn"))
    return part["num-worker"], 1 if groups else tp, tp if groups else 1, part.get("ep", 1)


def recipes(document):
    for key, config in document.items():
        model, engine = MODELS.get(key.split("-")[0]), ENGINES.get(config.get("framework"))
        if not (config.get("disagg") or config.get("multinode")) or model is None or engine is None:
            continue
        for lengths in config.get("seq-len-configs") or []:
            for entry in lengths.get("search-space", []):
                if not entry.get("prefill") or not entry.get("decode"):
                    continue
                for clients in entry.get("conc-list") or [entry.get("conc-start")]:
                    yield (model, config["runner"].split("-")[0], config["precision"], engine,
                           str(config["image"]).rsplit(":", 1)[-1], lengths["isl"], lengths["osl"], clients, drafted(entry),
                           *ranks(entry["prefill"]), *ranks(entry["decode"]))


def main():
    repository = sys.argv[1]
    states = git(repository, "log", "--reverse", "--format=%h %as", "--after=2025-10-15", "--before=2026-04-28", "--", *FILES).splitlines()
    found = {}
    for state, date in map(str.split, states):
        text = next(filter(None, (git(repository, "show", f"{state}:{file}") for file in FILES)), "")
        for recipe in recipes(yaml.load(text, Loader=yaml.CSafeLoader) or {}):
            found.setdefault(recipe, date)
    print("model,system,precision,backend,image,isl,osl,concurrency,draft_tokens,readers,reader_tp,reader_groups,reader_ep,"
          "writers,writer_tp,writer_groups,writer_ep,since")
    for recipe in sorted(found, key=lambda r: tuple(map(str, r))):
        print(",".join(map(str, (*recipe, found[recipe]))))


main()
