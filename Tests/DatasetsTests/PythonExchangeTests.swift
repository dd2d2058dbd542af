import Compute
import Foundation
import Testing

@testable import Datasets

/// With `PEERS_PYTHON=/path/to/python` (with torch, numpy and safetensors) files go to Python's own libraries and back.
@Suite struct PythonExchange {
    static let python = ProcessInfo.processInfo.environment["PEERS_PYTHON"]

    @Test(.enabled(if: python != nil)) func pythonReadsWhatWeWriteAndWeReadWhatItWrites() throws {
        let folder = NSTemporaryDirectory() + "eoss-exchange-\(getpid())/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var stream = RandomStream(seed: 1, purpose: .test)
        let weights = try NDArray((0..<6000).map { _ in Float(stream.normal()) }, shape: [20, 300])
        let arrays = [
            "layers.0.weight": weights, "ids": try NDArray([Int64.min, 3]), "half": try NDArray([0.5], shape: []),
            "bytes": try NDArray([1, 2, 3] as [UInt8]), "none": try NDArray([Float](), shape: [0, 4]),
        ]
        try OutputFile.write(
            ArrayFile.safetensors(.init(arrays: arrays, metadata: ["step": "7"])), to: folder + "a.safetensors")
        try OutputFile.write(ArrayFile.npy(weights), to: folder + "w.npy")
        try OutputFile.write(ArrayFile.npz(arrays), to: folder + "n.npz")
        let script = """
            import sys, numpy as np, torch, safetensors, safetensors.torch as st
            folder = sys.argv[1]
            a = st.load_file(folder + "a.safetensors")
            assert safetensors.safe_open(folder + "a.safetensors", "pt").metadata() == {"step": "7"}
            assert a["ids"].tolist() == [-2**63, 3] and a["half"].dtype == torch.float64 and a["half"].item() == 0.5
            assert tuple(a["none"].shape) == (0, 4) and a["bytes"].tolist() == [1, 2, 3]
            assert np.array_equal(np.load(folder + "w.npy"), a["layers.0.weight"].numpy())
            n = np.load(folder + "n.npz")
            assert set(n.files) == set(a) and all(np.array_equal(n[k], v.numpy()) for k, v in a.items())
            st.save_file(a, folder + "b.safetensors", metadata={"step": "8"})
            np.savez_compressed(folder + "c.npz", **{k: v.numpy() for k, v in a.items()})
            np.savez(folder + "d.npz", **{k: v.numpy() for k, v in a.items()})
            np.save(folder + "t.npy", a["layers.0.weight"].numpy().T)
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = ["-c", script, folder]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        #expect(try ArrayFile.contents(of: folder + "b.safetensors").metadata == ["step": "8"])
        for name in ["b.safetensors", "c.npz", "d.npz"] {
            let back = try ArrayFile.load(folder + name)
            #expect(Set(back.keys) == Set(arrays.keys))
            for (key, array) in arrays {
                #expect(back[key]?.shape == array.shape && back[key]?.element == array.element)
                #expect(back[key]?.values == array.values)
            }
        }
        let transposed = try #require(try ArrayFile.load(folder + "t.npy")["array"])
        #expect(transposed.shape == [300, 20])
        #expect(try transposed.value(at: [17, 3]) == weights.value(at: [3, 17]))
    }

    /// NumPy alone is enough for its own formats: where a `python3` has it, every element type, shape and odd name is checked,
    /// in zip64 too.
    @Test(.enabled(if: NumPy.isThere, "python3 has no numpy")) func numpyReadsItsOwnFormats() throws {
        let folder = NSTemporaryDirectory() + "eoss-numpy-\(getpid())/"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let arrays: [String: NDArray] = [
            "a/b": try NDArray([1.5, -2] as [Float]), "é λ": try NDArray([Int64.max], shape: []),
            "c.npy": try NDArray([1, 255] as [UInt8]), "none": try NDArray([Double](), shape: [0, 4]),
            "m": try NDArray([1, 2, 3, 4, 5, 6] as [Int32], shape: [2, 3]), "d": try NDArray([0.1, -.infinity]),
        ]
        var wide = ZipArchive(limit: 40)
        for (name, array) in arrays { try wide.add(name + ".npy", try ArrayFile.npy(array)) }
        try OutputFile.write(ArrayFile.npz(arrays), to: folder + "plain.npz")
        try OutputFile.write(wide.finished(), to: folder + "wide.npz")
        try OutputFile.write(ArrayFile.npy(try #require(arrays["m"])), to: folder + "m.npy")
        let script = """
            import sys, zipfile, numpy as np
            for name in ["plain.npz", "wide.npz"]:
                assert zipfile.ZipFile(sys.argv[1] + name).testzip() is None
                n = np.load(sys.argv[1] + name)
                assert set(n.files) == {"a/b", "é λ", "c.npy", "none", "m", "d"}, n.files
                assert n["a/b"].dtype == np.float32 and n["a/b"].tolist() == [1.5, -2]
                assert n["é λ"].shape == () and n["é λ"].dtype == np.int64 and n["é λ"] == 2**63 - 1
                assert n["c.npy"].dtype == np.uint8 and n["c.npy"].tolist() == [1, 255]
                assert n["none"].shape == (0, 4) and n["none"].dtype == np.float64
                assert n["m"].dtype == np.int32 and n["m"].tolist() == [[1, 2, 3], [4, 5, 6]]
                assert n["d"].dtype == np.float64 and n["d"].tolist() == [0.1, -np.inf]
            assert np.load(sys.argv[1] + "m.npy").tolist() == [[1, 2, 3], [4, 5, 6]]
            """
        #expect(NumPy.run(script, folder) == 0)
        for name in ["plain.npz", "wide.npz"] {
            let back = try ArrayFile.load(folder + name)
            #expect(Set(back.keys) == Set(arrays.keys))
            for (key, array) in arrays { #expect(back[key]?.shape == array.shape && back[key]?.values == array.values) }
        }
    }

    /// The files of SVHN and of CIFAR-10 as SciPy and Python's tarfile write them: image i has the pixel (i, c, row, column) ↦
    /// 100·i + 40·c + 7·row + column mod 251.
    @Test(.enabled(if: python != nil)) func imagesFromPythonStandUpright() throws {
        let folder = try TemporaryFolder()
        defer { folder.remove() }
        let script = """
            import sys, io, tarfile, numpy as np, scipy.io
            folder = sys.argv[1] + "/"
            def images(n):
                i, c, r, k = np.ogrid[:n, :3, :32, :32]
                return ((100 * i + 40 * c + 7 * r + k) % 251).astype("u1")
            for name, n in [("train", 30), ("test", 4)]:
                x = images(n).transpose(2, 3, 1, 0)
                y = np.array([[10 if i % 10 == 0 else i % 10] for i in range(n)], "u1")
                scipy.io.savemat(folder + name + "_32x32.mat", {"X": x, "y": y}, do_compression=True)
            with tarfile.open(folder + "anything", "w:gz", format=tarfile.GNU_FORMAT) as archive:
                x = images(30).reshape(30, -1)
                for name, rows in [("test_batch", range(4))] + [(f"data_batch_{b}", range(6 * b - 6, 6 * b)) for b in [4, 1, 5, 2, 3]]:
                    data = b"".join(bytes([i % 10]) + x[i].tobytes() for i in rows)
                    info = tarfile.TarInfo("cifar-10-batches-bin/" + name + ".bin")
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(Self.python))
        process.arguments = ["-c", script, folder.path]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        var options = ImageOptions()
        options.standardize = .none
        for (facts, place) in [(ImageFacts.svhn, folder.path), (.cifar10, folder.path + "/anything")] {
            options.folder = place
            let data = try Dataset.images(facts, options)
            #expect(data.train.labels == (0..<30).map { Int32($0 % 10) } && data.test?.labels == [0, 1, 2, 3])
            for (i, image) in try values(data.train.inputs(as: .f64)).enumerated() {
                let expected = (0..<3072).map { p in (100 * i + 40 * (p / 1024) + 7 * (p / 32 % 32) + p % 32) % 251 }
                #expect(image.map { Int(($0 * 255).rounded()) } == expected)
            }
        }
    }
}

/// The machine's own `python3`, for what needs NumPy and nothing else.
private enum NumPy {
    static let isThere = run("import numpy") == 0

    /// The exit status of a Python program; nil where it could not be started.
    static func run(_ program: String, _ arguments: String...) -> Int32? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", program] + arguments
        guard (try? process.run()) != nil else { return nil }
        process.waitUntilExit()
        return process.terminationStatus
    }
}
