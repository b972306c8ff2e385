#!/usr/bin/env python3
"""Filtered search of another library for filters.py: filters_peer.py NAME FOLDER OUT, with NAME faiss, faissivf or qdrant.

FOLDER has base.fvecs, query.fvecs, fields.ivecs and wanted.ivecs; see filters.py. FAISS gets its bitmaps ready made, as
IDSelectorBitmap wants them; Qdrant has a payload index over every field and evaluates the filter in every query. Needs
faiss-cpu or qdrant-edge-py. Prints a line with "ready", measures once for every line "pass" on its input, writes a JSON
array of [case, setting, recall, queries a second of CPU] to OUT, and answers "done".
"""
import json, os, shutil, sys, tempfile, time

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
import numpy as np

K = 10
SLOT = float(os.environ.get("SLOT", "0.2"))


def vectors(path, kind):
    numbers = np.fromfile(path, np.int32)
    return np.ascontiguousarray(numbers.reshape(-1, numbers[0] + 1)[:, 1:].view(kind))


class Faiss:
    def __init__(self, base, fields, spec, grid):
        import faiss
        self.faiss, self.grid = faiss, grid
        faiss.omp_set_num_threads(1)
        self.index = faiss.index_factory(base.shape[1], spec)
        if "HNSW" in spec:
            self.index.hnsw.efConstruction = 200
        self.index.train(base)
        self.index.add(base)
        self.parameters = faiss.SearchParametersHNSW if "HNSW" in spec else faiss.SearchParametersIVF
        self.knob = "efSearch" if "HNSW" in spec else "nprobe"
        self.selectors = {}
        for case in range(fields.shape[1]):
            for value in np.unique(fields[:, case]):
                bits = np.packbits(fields[:, case] == value, bitorder="little")
                self.selectors[case, int(value)] = (faiss.IDSelectorBitmap(len(base), faiss.swig_ptr(bits)), bits)

    def search(self, case, value, query, row, setting):
        chosen = self.parameters(sel=self.selectors[case, value][0], **{self.knob: setting})
        return self.index.search(row, K, params=chosen)[1][0]


class Qdrant:
    grid = [16, 32, 64, 128, 256, 512]

    def __init__(self, base, fields, folder):
        import qdrant_edge as qe
        self.qe = qe
        self.shard = qe.EdgeShard.create(folder, qe.EdgeConfig(
            vectors=qe.EdgeVectorParams(size=base.shape[1], distance=qe.Distance.Euclid),
            hnsw_config=qe.HnswIndexConfig(m=16, ef_construct=200, full_scan_threshold=10000, max_indexing_threads=1),
            optimizers=qe.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=1000, max_segment_size=10_000_000),
            max_search_threads=1, wal_enabled=False))
        cases = range(fields.shape[1])
        for case in cases:
            self.shard.update(qe.UpdateOperation.create_field_index(f"case{case}", qe.PayloadSchemaType.Integer))
        for start in range(0, len(base), 2000):
            self.shard.update(qe.UpdateOperation.upsert_points(
                [qe.Point(i, base[i].tolist(), {f"case{c}": int(fields[i, c]) for c in cases}) for i in range(start, min(len(base), start + 2000))]))
        self.shard.optimize()

    def search(self, case, value, query, row, setting):
        qe = self.qe
        wanted = qe.Filter(must=[qe.FieldCondition(f"case{case}", match=qe.MatchValue(value))])
        request = qe.SearchRequest(qe.Query.Nearest(query), K, filter=wanted, params=qe.SearchParams(hnsw_ef=setting))
        return [point.id for point in self.shard.search(request)]


def truths(base, queries, fields, wanted):
    """The nearest of every query among the rows that have its value, by case."""
    norms = (base * base).sum(1)
    all_cases = []
    for case in range(fields.shape[1]):
        near = [None] * len(queries)
        for value in np.unique(wanted[:, case]):
            rows = np.flatnonzero(fields[:, case] == value)
            asked = np.flatnonzero(wanted[:, case] == value)
            for start in range(0, len(asked), 100):
                part = asked[start:start + 100]
                distance = norms[rows] - 2 * (queries[part] @ base[rows].T)
                best = rows[np.argpartition(distance, min(K, len(rows)) - 1, axis=1)[:, :K]]
                for i, rows_found in zip(part, best):
                    near[i] = set(rows_found.tolist())
        all_cases.append(near)
    return all_cases


def main():
    name, data, out = sys.argv[1:4]
    base, queries = vectors(data + "/base.fvecs", np.float32), vectors(data + "/query.fvecs", np.float32)
    fields, wanted = vectors(data + "/fields.ivecs", np.int32), vectors(data + "/wanted.ivecs", np.int32)
    truth = truths(base, queries, fields, wanted)
    folder = tempfile.mkdtemp()
    start = time.process_time()
    if name == "qdrant":
        library = Qdrant(base, fields, folder)
    elif name == "faissivf":
        library = Faiss(base, fields, "IVF1024,Flat", [4, 8, 16, 32, 64, 128, 256])
    else:
        library = Faiss(base, fields, "HNSW32,Flat", [16, 32, 64, 128, 256, 512, 1024])
    lists, rows = queries.tolist(), [queries[i:i + 1] for i in range(len(queries))]  # made outside of what is measured
    values = wanted.tolist()
    print(json.dumps({"ready": name, "build": round(time.process_time() - start, 1)}), flush=True)
    for line in sys.stdin:
        if line.strip() != "pass":
            break
        points = []
        for case in range(fields.shape[1]):
            for setting in library.grid:
                best, spent = 1e9, 0.0
                while spent < SLOT:
                    start = time.process_time()
                    found = [library.search(case, values[i][case], lists[i], rows[i], setting) for i in range(len(lists))]
                    taken = time.process_time() - start
                    best, spent = min(best, taken), spent + max(taken, 1e-4)
                right = sum(len(truth[case][i] & set(int(x) for x in f)) for i, f in enumerate(found))
                recall = right / sum(len(t) for t in truth[case])
                points.append([case, setting, recall, len(lists) / best])
                if recall >= 0.98:
                    break  # wider searches are slower
        with open(out, "w") as file:
            json.dump(points, file)
        print("done", flush=True)
    shutil.rmtree(folder, ignore_errors=True)


main()
