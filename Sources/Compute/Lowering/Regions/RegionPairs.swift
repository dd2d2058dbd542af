import CKernels

/// Operations of the register machine that do the work of two to four, or read one number instead of a block of it.
enum RegionPairs {
    static let product = Int(CK_MULTIPLY.rawValue)

    /// How many operations of the graph one of the machine does.
    static func operations(_ opcode: Int) -> Int {
        let pairs = [
            CK_MULTIPLY_ADD, CK_MULTIPLY_SUBTRACT, CK_SUBTRACT_PRODUCT, CK_SCALE_ADD, CK_SCALE_SUBTRACT,
            CK_SUBTRACT_SCALED,
        ]
        if opcode == Int(CK_APPROACH_SQUARE.rawValue) { return 4 }
        if [CK_APPROACH, CK_DIVIDE_BY_ROOT].contains(where: { Int($0.rawValue) == opcode }) { return 3 }
        return pairs.contains { Int($0.rawValue) == opcode } ? 2 : 1
    }

    /// What a sum or difference is whose left, or right, operand is a product; nil for other operations.
    static func joining(_ opcode: Int) -> [Int]? {
        switch opcode {
        case Int(CK_ADD.rawValue): [CK_MULTIPLY_ADD, CK_MULTIPLY_ADD].map { Int($0.rawValue) }
        case Int(CK_SUBTRACT.rawValue): [CK_MULTIPLY_SUBTRACT, CK_SUBTRACT_PRODUCT].map { Int($0.rawValue) }
        default: nil
        }
    }

    /// The operation for a first operand that is one number; nil where there is none.
    static func withOneNumber(_ opcode: Int) -> Int? {
        let table: [(ck_opcode, ck_opcode)] = [
            (CK_MULTIPLY, CK_SCALE), (CK_ADD, CK_OFFSET), (CK_MULTIPLY_ADD, CK_SCALE_ADD),
            (CK_MULTIPLY_SUBTRACT, CK_SCALE_SUBTRACT), (CK_SUBTRACT_PRODUCT, CK_SUBTRACT_SCALED),
        ]
        return table.first { Int($0.0.rawValue) == opcode }.map { Int($0.1.rawValue) }
    }
}
