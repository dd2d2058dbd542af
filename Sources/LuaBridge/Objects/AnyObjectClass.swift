import Synchronization

/// What every declared class tells, whatever its Swift type.
public class AnyObjectClass {
    /// As scripts and messages call it: `run`.
    public let name: String
    public let summary: String
    /// Further names that `LuaType.object` knows it by: `optimizer` for `sgd`, `adam` and others.
    public let kinds: [String]
    public internal(set) var methods: [FunctionDeclaration] = []
    public internal(set) var properties: [Parameter] = []
    public internal(set) var writableProperties: Set<String> = []
    /// Each with its operands, in the order in which they are tried.
    public internal(set) var operators: [OperatorDeclaration] = []
    /// `object[i]`, `object["name"]`, `#object` and `object(…)`, where it has them.
    public internal(set) var elementDeclaration: Parameter?
    public internal(set) var entryDeclaration: Parameter?
    public internal(set) var lengthDeclaration: Parameter?
    public internal(set) var callDeclaration: FunctionDeclaration?

    init(_ name: String, _ summary: String, kinds: [String]) {
        self.name = name
        self.summary = summary
        self.kinds = kinds
    }

    func describes(_ object: AnyObject) -> Bool { false }
    func isNamed(_ name: String) -> Bool { self.name == name || kinds.contains(name) }
    func externalBytes(of object: AnyObject) -> Int { 0 }
    /// The text for an object of this class.
    func describe(_ object: AnyObject) -> String { name }
    /// What a prompt shows of one: the same, or several lines.
    func view(_ object: AnyObject) -> String { describe(object) }
    /// What an operator of this class gives for these operands; nil where it has none for them.
    func result(of symbol: LuaOperator, _ left: LuaValue, _ right: LuaValue) throws -> LuaValue? { nil }
    func install(in state: LuaState) throws {}
}

/// An operator for one kind of operands.
public struct OperatorDeclaration: Sendable, Equatable {
    public let symbol: LuaOperator
    /// As scripts write it, by the names of the types: `number * vector`.
    public let operands: String
    public let result: LuaType
}

/// What the classes declared so far call their objects, by Swift type: for messages where no state is at hand.
let declaredNames = Mutex<[ObjectIdentifier: String]>([:])

func declaredName(of object: AnyObject) -> String {
    declaredNames.withLock { $0[ObjectIdentifier(type(of: object))] } ?? "object"
}

/// A class in a state. Its address is the class's key there.
final class InstalledClass {
    let declaration: AnyObjectClass

    init(_ declaration: AnyObjectClass) { self.declaration = declaration }

    var key: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
}

/// Operators that objects can have. Their raw values are Lua's names.
public enum LuaOperator: String, Sendable, CaseIterable {
    case add = "__add"
    case subtract = "__sub"
    case multiply = "__mul"
    case divide = "__div"
    case power = "__pow"
    case modulo = "__mod"
    case floorDivide = "__idiv"
    case equal = "__eq"
    case less = "__lt"
    case lessOrEqual = "__le"
    case negate = "__unm"

    public var symbol: String {
        switch self {
        case .add: "+"
        case .subtract, .negate: "-"
        case .multiply: "*"
        case .divide: "/"
        case .power: "^"
        case .modulo: "%"
        case .floorDivide: "//"
        case .equal: "=="
        case .less: "<"
        case .lessOrEqual: "<="
        }
    }
}
