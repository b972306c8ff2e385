#!/usr/bin/env python3
"""A FAISS index for ann.py: ann_peer.py NAME DATA OUT, with NAME a factory string, then "@" and the queries given at
once, as Flat@100 or IVF1024,PQ64x4fs,RFlat@1. Needs faiss-cpu. The protocol is described in ann.py."""
import json, os, sys, time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
import faiss
import numpy as np

K = 10


def vectors(path, kind):
    numbers = np.fromfile(path, np.int32)
    return np.ascontiguousarray(numbers.reshape(-1, numbers[0] + 1)[:, 1:].view(kind))


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def main():
    name, data, out = sys.argv[1:4]
    factory, batch = name.rsplit("@", 1)
    base, queries, truth = (vectors(f"{data}/{file}", kind) for file, kind in
                            (("base.fvecs", np.float32), ("query.fvecs", np.float32), ("gt.ivecs", np.int32)))
    faiss.omp_set_num_threads(1)
    memory, start = resident(), time.process_time()
    index = faiss.index_factory(base.shape[1], factory)
    index.train(base)
    index.add(base)
    build, memory = time.process_time() - start, resident() - memory
    settings = [(0, 0)]
    if "IVF" in factory:
        settings = [(p, r) for r in (4, 10) for p in (2, 4, 8, 16, 32, 64, 128)]
    batches = [queries[i:i + int(batch)] for i in range(0, len(queries), int(batch))]
    print(json.dumps({"ready": name, "build": build, "rss": memory}), flush=True)
    for line in sys.stdin:
        if line.strip() != "pass":
            break
        with open(out, "a") as file:
            for probes, refine in settings:
                chosen = None
                if probes:
                    chosen = faiss.SearchParametersIVF(nprobe=probes)
                    if "RFlat" in factory:
                        chosen = faiss.IndexRefineSearchParameters(k_factor=refine, base_index_params=chosen)
                best, spent = 1e9, 0.0
                while spent < 0.2:
                    start = time.process_time()
                    found = [index.search(b, K, params=chosen)[1] for b in batches]
                    taken = time.process_time() - start
                    best, spent = min(best, taken), spent + max(taken, 1e-4)
                found = np.concatenate(found)
                recall = (found[:, :, None] == truth[:, None, :K]).any(1).mean()
                rate = len(queries) / best
                file.write(f"RES\t{data}\tfaiss\t{name}\tp={probes} r={refine}\t{build:.1f}\t{memory:.0f}\t{recall:.4f}\t{rate:.0f}\t{rate:.0f}\n")
        print("done", flush=True)


main()
