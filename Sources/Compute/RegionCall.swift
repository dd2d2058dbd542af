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
        /// Strides over the region's collapsed axes.
        var strides: [Int]
        var access: Access
    }
    enum Access { case contiguous, scalar, strided }

    var count: Int
    var extents: [Int]
    var operands: [Operand]
    var resultElements: [ElementType]
    var registerSizes: [Int]
    var instructions: [Instruction]
    var block: Int
    var tile: Int
    var tiles: Int { ceilDivide(count, tile) }

    /// Places that the machine has to hold.
    var places: Int { operands.count + resultElements.count + registerSizes.count }

    /// Results that may lie over operands: same size, walked alike, and not read after the result is written.
    func inPlacePairs() -> [(write: Int, read: Int)] {
        var pairs: [(write: Int, read: Int)] = []
        for (result, element) in resultElements.enumerated() {
            let written = instructions.firstIndex { $0.result == .result(result) } ?? 0
            for (operand, description) in operands.enumerated()
            where description.access == .contiguous && description.element.byteCount == element.byteCount {
                let lastRead = instructions.lastIndex { $0.sources.contains(.operand(operand)) } ?? -1
                if lastRead <= written { pairs.append((result, operand)) }
            }
        }
        return pairs
    }
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
        case is Sqrt: CK_SQRT
        case is Tanh: CK_TANH
        case is Logistic: CK_LOGISTIC
        case is Erf: CK_ERF
        case is Abs: CK_ABS
        case is Sign: CK_SIGN
        case is Add: CK_ADD
        case is Subtract: CK_SUBTRACT
        case is Multiply: CK_MULTIPLY
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

/// Blocks and tiles of regions: functions of shapes alone.
enum RegionTiling {
    /// Blocks keep all registers and gathered operands within half of a first-level cache of 32 KiB.
    private static let blockBytes = 16 * 1024
    /// Work of a tile, in operations on one element: two or three microseconds.
    private static let tileWork = 48_000
    private static let mostTiles = 64
    /// What a function of the C library costs, in additions.
    private static let transcendentalCost = 12

    static func choose(_ call: inout RegionCall) {
        var bytes = call.registerSizes.reduce(0, +)
        for operand in call.operands where operand.access != .contiguous { bytes += operand.element.byteCount }
        call.block = min(max(blockBytes / max(bytes, 1) / 64 * 64, 64), 2048)
        let transcendental = [CK_EXP, CK_LOG, CK_LOG1P, CK_TANH, CK_LOGISTIC, CK_ERF].map { Int($0.rawValue) }
        let perElement = call.instructions.reduce(0) {
            $0 + (transcendental.contains($1.opcode) ? transcendentalCost : 1)
        }
        let (work, overflow) = call.count.multipliedReportingOverflow(by: max(1, perElement))
        let tiles = overflow ? mostTiles : min(mostTiles, max(1, work / tileWork))
        call.block = min(call.block, max(64, roundUp(ceilDivide(call.count, tiles), to: 64)))
        call.tile = evenTile(call.count, tiles: tiles, multiple: call.block)
    }
}
