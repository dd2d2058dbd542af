import CKernels
import Graph

/// Where a value lives while a plan runs.
indirect enum Storage: Hashable {
    case input(Int)
    case output(Int)
    /// Byte offset into the plan's constants.
    case constant(Int)
    /// A buffer of the arena, by number.
    case buffer(Int)
    /// What lies so many bytes into one of the others.
    case part(Storage, bytes: Int)

    /// The memory that this is a part of, or this.
    var whole: Storage { if case .part(let whole, _) = self { whole } else { self } }

    func advanced(by bytes: Int) -> Storage {
        if bytes == 0 { return self }
        if case .part(let whole, let offset) = self { return .part(whole, bytes: offset + bytes) }
        return .part(self, bytes: bytes)
    }
}

/// One kernel call of a plan before addresses are known.
struct Step {
    enum Kernel {
        case product(ProductCall)
        case region(RegionCall)
        case reduce(ReduceCall)
        case copy(CopyCall)
        case rows(RowsCall)
        case pad(PadCall)
        case columnDots(ColumnDotsCall)
        case convolution(ConvolutionCall)
        case convolutionPack(ConvolutionPackCall)
        case convolutionSum(ConvolutionSumCall)
    }

    var kernel: Kernel
    var reads: [Storage]
    var writes: [Storage]
    /// Pairs (write, read) whose memory may be the same: each entry is read before, or as, it is written.
    var inPlace: [(write: Int, read: Int)]
    /// The grid's size.
    var tiles: Int
    var label: StepLabel
}

/// What a step does, for a person: operation and shapes. Put into words only when it is read: of a concatenation of a thousand parts
/// each is a step, and names all of them.
struct StepLabel: CustomStringConvertible {
    private let words: () -> String

    init(_ words: @escaping @autoclosure () -> String) { self.words = words }

    var description: String { words() }

    static func + (label: Self, suffix: String) -> Self { Self("\(label)\(suffix)") }
}

/// The engine's own number for an element.
extension ElementType {
    var kernelElement: Int {
        switch self {
        case .f32: Int(CK_F32.rawValue)
        case .f64: Int(CK_F64.rawValue)
        case .i32: Int(CK_I32.rawValue)
        case .bool: Int(CK_BOOL.rawValue)
        }
    }
}

struct ProductCall {
    enum Kind: String {
        /// OpenBLAS on tiles.
        case blas
        /// Dot products of contiguous rows.
        case inner
        /// Sums of outer products with a contiguous right operand.
        case outer
        /// The same with a right operand of any strides, which each tile brings together first.
        case packed
    }
    var kind: Kind
    var element: ElementType
    var result: ElementType
    var accumulates: Bool
    var m: Int
    var n: Int
    var k: Int
    var aRow: Int
    var aColumn: Int
    var bRow: Int
    var bColumn: Int
    var batchExtents: [Int]
    var aBatch: [Int]
    var bBatch: [Int]
    /// Of the result: elements from row to row, and from batch to batch along each of their axes. Its columns are contiguous.
    var cRow: Int
    var cBatch: [Int]
    var tileM: Int
    var tileN: Int
    var tileBatches: Int
    /// Length of the chunks of K that stand for batches; 0: none.
    var kChunk: Int

    var batches: Int { batchExtents.reduce(1, *) }
    var tiles: Int {
        m == 0 || n == 0 || batches == 0
            ? 0 : ceilDivide(m, tileM) * ceilDivide(n, tileN) * ceilDivide(batches, tileBatches)
    }
}

struct ReduceCall {
    var isSum: Bool
    var element: ElementType
    var result: ElementType
    var kept: Axes
    var reduced: Axes
    var chunks: Int
    var chunk: Int
    var tile: Int
    var tiles: Int { ceilDivide(kept.count * chunks, tile) }
}

struct CopyCall {
    var size: Int
    var axes: Axes
    /// Strides of the result; `nil`: contiguous.
    var resultStrides: [Int]?
    /// Squares over this axis and the innermost; `nil`: row by row.
    var squareAxis: Int?
    var tile: Int
    var tiles: Int
}

/// Rows by number: `Gather` and `ScatterAdd`.
struct RowsCall {
    var isGather: Bool
    var element: ElementType
    var batches: Int
    var rows: Int
    var length: Int
    var indices: Int
    /// Gathering: indices of a tile. Adding: rows and columns of a tile.
    var tile: Int
    var columns: Int
    var tiles: Int
}

struct PadCall {
    var size: Int
    var extents: [Int]
    var operandExtents: [Int]
    var low: [Int]
    var step: [Int]
    /// Of the result: all, and of a tile.
    var rows: Int
    var tile: Int
    var tiles: Int { ceilDivide(rows, tile) }
}
