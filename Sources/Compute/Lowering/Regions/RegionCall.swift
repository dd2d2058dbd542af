import CKernels
import Graph

/// An elementwise region as a program for the register machine.
struct RegionCall {
    enum Place: Hashable {
        case operand(Int)
        case result(Int)
        case register(Int)
    }
    struct Instruction {
        var opcode: Int
        /// Of the operands; of the branches for select.
        var element: ElementType
        var result: Place
        var sources: [Place]
    }
    struct Operand {
        var element: ElementType
        /// Strides over the region's collapsed axes, and where its first element lies, in elements.
        var strides: [Int]
        var offset: Int
        var access = Access.scalar
        /// Elements from one step of a recurrence to the next; 0 for what all steps read.
        var step = 0
        /// The result that it is at the step before, by number; it lies here before the first.
        var carry: Int?
        /// What of it belongs to one step of the walked axis: merged axes, the walked one first.
        var block = Axes(extents: [], strides: [])
    }
    enum Access { case contiguous, scalar, inPlace, strided, computed, carried }

    /// How often each block is computed, with the operands of one step after the other; results lie behind each other.
    struct Steps {
        var count = 1
        var isReversed = false
    }

    /// A sum or maximum over the region's middle axis.
    struct Reduction {
        var isSum: Bool
        /// Of the place that is read.
        var element: ElementType
        var place: Place
    }
    /// What an output of the body is: a result element by element, or a reduction, by number.
    enum Output: Hashable {
        case result(Int)
        case reduction(Int)
    }

    var count: Int
    var extents: [Int]
    var operands: [Operand]
    var resultElements: [ElementType]
    /// Of the results that do not lie together, by number.
    var rows: [Int: RowsOfPart] = [:]
    var registerSizes: [Int]
    var instructions: [Instruction]
    var outputs: [Output]
    var reductions: [Reduction] = []
    /// With reductions: the elements are [groups, reduced, inner].
    var reduced = 1
    var inner = 1
    /// What computes one of the operands, rows at a time.
    var product: RegionProduct?
    var steps = Steps()
    var walk = RegionWalk()
    var tiles: Int { walk.tiles }

    /// Numbers that a tile may keep while it reduces: a quarter of a thread's working memory.
    static let mostAccumulators = Int(CK_SCRATCH_BYTES) / 32

    /// Places that the machine has to hold.
    var places: Int { operands.count + resultElements.count + registerSizes.count }

    /// Results that may lie over operands: same size, walked alike, and not read after the result is written; in a recurrence what
    /// has a part for each step.
    func inPlacePairs() -> [(write: Int, read: Int)] {
        var pairs: [(write: Int, read: Int)] = []
        for (result, element) in resultElements.enumerated() where rows[result] == nil {
            let written = instructions.firstIndex { $0.result == .result(result) } ?? 0
            for (operand, description) in operands.enumerated()
            where description.access == .contiguous && description.element.byteCount == element.byteCount
                && (steps.count == 1 || description.step == count)
            {
                let lastRead = instructions.lastIndex { $0.sources.contains(.operand(operand)) } ?? -1
                let isReduced = reductions.contains { $0.place == .operand(operand) }
                if lastRead <= written && !isReduced { pairs.append((result, operand)) }
            }
        }
        return pairs
    }
}

/// A product that a region computes as it walks over its rows: one operand of the region.
struct RegionProduct {
    /// One matrix, by one of our own kernels, without an addend.
    var call: ProductCall
    var operand: Int
    /// Rows that are made at a time.
    var rows = 0
}

/// How a region is walked: `ck_region` says what the numbers mean.
struct RegionWalk {
    /// The axis that blocks are cut along.
    var axis = 0
    var blockUnits = 1
    var unit = 1
    var lineUnits = 1
    var blocks = 0
    var tileBlocks = 1
    var stretchBlocks = 1
    var stretchTiles = 1
    var lineBlocks: Int { ceilDivide(lineUnits, blockUnits) }
    var tiles: Int { ceilDivide(blocks, stretchBlocks) * stretchTiles }
}

/// Operations that the register machine has.
enum ElementwiseOpcode {
    static func of(_ operation: any Operation) -> Int? {
        code(operation).map { Int($0.rawValue) }
    }

    private static func code(_ operation: any Operation) -> ck_opcode? {
        switch operation {
        case is Negate: CK_NEGATE
        case is Exponential: CK_EXP
        case is Log: CK_LOG
        case is LogPlusOne: CK_LOG1P
        case is ExponentialMinusOne: CK_EXPM1
        case is Sqrt: CK_SQRT
        case is Tanh: CK_TANH
        case is Logistic: CK_LOGISTIC
        case is Erf: CK_ERF
        case is Abs: CK_ABS
        case is Sign: CK_SIGN
        case is Add: CK_ADD
        case is Subtract: CK_SUBTRACT
        case is Multiply: CK_MULTIPLY
        case is MultiplyNonzero: CK_MULTIPLY_NONZERO
        case is Power: CK_POWER
        case is Divide: CK_DIVIDE
        case is Maximum: CK_MAXIMUM
        case is Minimum: CK_MINIMUM
        case is Select: CK_SELECT
        case let compare as Compare:
            switch compare.direction {
            case .eq: CK_EQ
            case .ne: CK_NE
            case .lt: CK_LT
            case .le: CK_LE
            case .gt: CK_GT
            case .ge: CK_GE
            }
        case let convert as Convert:
            switch convert.to {
            case .f32: CK_TO_F32
            case .f64: CK_TO_F64
            case .i32: CK_TO_I32
            case .bool: CK_TO_BOOL
            }
        default: nil
        }
    }
}
