import Compute

/// An element as a file stores it.
enum StoredElement: Hashable {
    case memory(ArrayElement)
    /// IEEE half precision.
    case f16
    /// The upper half of an f32.
    case bf16

    var byteCount: Int {
        switch self {
        case .memory(let element): element.byteCount
        case .f16, .bf16: 2
        }
    }

    /// The element that it has in memory.
    var element: ArrayElement {
        switch self {
        case .memory(let element): element
        case .f16, .bf16: .f32
        }
    }

    /// The value of an IEEE half-precision number.
    static func widened(half bits: UInt16) -> Float {
        let magnitude = UInt32(bits & 0x7FFF) << 13
        // A half's exponent is biased by 15, a float's by 127; the product also gets the subnormal halves right.
        let value =
            bits & 0x7C00 == 0x7C00
            ? Float(bitPattern: 0x7F80_0000 | magnitude) : Float(bitPattern: magnitude) * 0x1p112
        return bits & 0x8000 == 0 ? value : -value
    }
}

extension NDArray {
    /// Reads an array's elements.
    ///
    /// The caller has checked that the reader's remaining bytes hold them; memory is taken only here.
    /// - Parameters:
    ///   - bigEndian: the file's byte order.
    ///   - fortran: the first index runs fastest in the file.
    static func read(
        _ reader: any ByteReader, _ stored: StoredElement, shape: [Int], bigEndian: Bool = false, fortran: Bool = false,
        name: String
    ) throws -> NDArray {
        let array = try NDArray(shape: shape, element: stored.element, for: name) { bytes in
            switch stored {
            case .memory(let element):
                try reader.read(into: bytes)
                if bigEndian { swapBytes(bytes, of: element.byteCount) }
            case .f16, .bf16:
                try readHalves(reader, into: bytes.bindMemory(to: Float.self), stored, bigEndian: bigEndian)
            }
        }
        return fortran && shape.count > 1 ? try array.rowMajor(name: name) : array
    }

    private static func swapBytes(_ bytes: UnsafeMutableRawBufferPointer, of byteCount: Int) {
        func swap<Word: FixedWidthInteger>(_: Word.Type) {
            let words = bytes.bindMemory(to: Word.self)
            for i in words.indices { words[i] = words[i].byteSwapped }
        }
        switch byteCount {
        case 2: swap(UInt16.self)
        case 4: swap(UInt32.self)
        case 8: swap(UInt64.self)
        default: break
        }
    }

    private static func readHalves(
        _ reader: any ByteReader, into floats: UnsafeMutableBufferPointer<Float>, _ stored: StoredElement,
        bigEndian: Bool
    ) throws {
        var chunk = [UInt16](repeating: 0, count: min(floats.count, 1 << 15))
        var start = 0
        while start < floats.count {
            let count = min(chunk.count, floats.count - start)
            try chunk.withUnsafeMutableBytes { try reader.read(into: .init(rebasing: $0[..<(2 * count)])) }
            for i in 0..<count {
                let bits = bigEndian ? chunk[i].byteSwapped : chunk[i]
                floats[start + i] =
                    stored == .f16 ? StoredElement.widened(half: bits) : Float(bitPattern: UInt32(bits) << 16)
            }
            start += count
        }
    }

    /// This array's elements, which stand in column-major order for its shape, in row-major order.
    private func rowMajor(name: String) throws -> NDArray {
        try NDArray(shape: shape, element: element, for: name) { bytes in
            func permute<Word>(_: Word.Type) throws {
                let source = storage.base.assumingMemoryBound(to: Word.self)
                let target = bytes.bindMemory(to: Word.self)
                var strides = [Int](repeating: 1, count: shape.count)
                for axis in 1..<shape.count { strides[axis] = strides[axis - 1] &* shape[axis - 1] }
                var index = [Int](repeating: 0, count: shape.count)
                var place = 0
                for stretch in target.indices.stretches {
                    try Cancellation.check()
                    for i in stretch {
                        target[i] = source[place]
                        var axis = shape.count - 1
                        while axis >= 0 {
                            index[axis] += 1
                            place += strides[axis]
                            if index[axis] < shape[axis] { break }
                            place -= strides[axis] * shape[axis]
                            index[axis] = 0
                            axis -= 1
                        }
                    }
                }
            }
            switch element.byteCount {
            case 1: try permute(UInt8.self)
            case 2: try permute(UInt16.self)
            case 4: try permute(UInt32.self)
            default: try permute(UInt64.self)
            }
        }
    }
}
