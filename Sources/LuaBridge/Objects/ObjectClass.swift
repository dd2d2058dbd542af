import CLua

/// A `for` loop that is under way.
public struct LuaLoop {
    /// Takes a step: the values of the loop's variables, or nil at the end.
    let next: () throws -> LuaResults?
    /// Called when the loop is left, however that comes: at its end, by `break`, `return`, or with true by an error.
    let close: ((Bool) -> Void)?

    public init(next: @escaping () throws -> LuaResults?, close: ((_ isTorn: Bool) -> Void)? = nil) {
        (self.next, self.close) = (next, close)
    }
}

/// A Swift class as scripts see it: its properties, methods and operators, each one expression. A declaration, installed in a state by
/// `LuaState.install`.
public final class ObjectClass<Object: LuaObject>: AnyObjectClass {
    private typealias Body = (borrowing RawCall) throws -> Int32

    private var methodBodies: [String: Body] = [:]
    private var getters: [String: Body] = [:]
    private var setters: [String: Body] = [:]
    private var alternatives: [LuaOperator: [(LuaValue, LuaValue) throws -> LuaValue?]] = [:]
    private var element: ((Object, Int) throws -> LuaValue?)?
    private var entry: (names: (Object) -> [String], get: (Object, String) throws -> LuaValue?)?
    private var count: ((Object) throws -> Int)?
    private var call: DeclaredMethod?
    private var text: (Object) -> String
    private var lines: ((Object) -> String)?
    private var external: (Object) -> Int = { _ in 0 }
    private let guardian = Guardian()

    /// Asked before any member of an object is used; a reference, so that members which are declared already have it too.
    private final class Guardian {
        var check: ((Object) throws -> Void)?
    }

    private struct DeclaredMethod {
        let declaration: FunctionDeclaration
        let body: Body
    }

    override public init(_ name: String, _ summary: String, kinds: [String] = []) {
        text = { _ in name }
        super.init(name, summary, kinds: kinds)
        declaredNames.withLock { $0[ObjectIdentifier(Object.self)] = name }
    }

    // MARK: properties

    /// A property that scripts can read.
    public func property(
        _ name: String, _ type: LuaType, unit: String = "", _ summary: String,
        get: @escaping (Object) throws -> some LuaReturnable
    ) {
        properties.append(Parameter(name, type, unit: unit, summary))
        getters[name] = { [receiver] raw in try get(try receiver(raw, "property '\(name)'")).push(to: raw.stack) }
    }

    /// A property that scripts can read and assign.
    public func property<Value: LuaReadable>(
        _ name: String, _ type: LuaType, unit: String = "", _ summary: String,
        get: @escaping (Object) throws -> some LuaReturnable, set: @escaping (Object, Value) throws -> Void
    ) {
        property(name, type, unit: unit, summary, get: get)
        writableProperties.insert(name)
        let className = self.name
        setters[name] = { [receiver] raw in
            let object = try receiver(raw, "property '\(name)'")
            if let mismatch = type.mismatch(raw.stack, 2) {
                throw ArgumentError("property '\(name)' of \(className): \(mismatch)")
            }
            guard let value = Value.read(try raw.stack.value(at: 2)) else {
                throw ArgumentError(
                    "property '\(name)' of \(className): expected \(type.words), got \(raw.stack.shown(at: 2))")
            }
            try set(object, value)
            return 0
        }
    }

    // MARK: methods

    /// A method with results. See `FunctionDeclaration` for how it may be called.
    public func method(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        items: Parameter? = nil, rest: Parameter? = nil, results: [Parameter] = [],
        body: @escaping (Object, borrowing LuaCall) throws -> some LuaReturnable
    ) {
        let declaration = FunctionDeclaration(
            "\(self.name):\(name)", summary, parameters: parameters, options: options, items: items, rest: rest,
            results: results, isMethod: true)
        add(declaration, named: name) { [receiver] raw in
            let object = try receiver(raw, name)
            let call = try raw.bound(first: 2)
            return try body(object, call).push(to: raw.stack)
        }
    }

    /// A method without results.
    public func procedure(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        items: Parameter? = nil, rest: Parameter? = nil, body: @escaping (Object, borrowing LuaCall) throws -> Void
    ) {
        method(name, summary, parameters: parameters, options: options, items: items, rest: rest) { object, call in
            try body(object, call)
            return LuaResults()
        }
    }

    /// A method for the head of a `for` loop: `for step, r in run:steps(100) do`. `results` names the loop's variables.
    public func iterator(
        _ name: String, _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [],
        results: [Parameter], body: @escaping (Object, borrowing LuaCall) throws -> LuaLoop
    ) {
        let declaration = FunctionDeclaration(
            "\(self.name):\(name)", summary, parameters: parameters, options: options, results: results,
            isMethod: true, isIterator: true)
        add(declaration, named: name) { [receiver] raw in
            let object = try receiver(raw, name)
            let loop = try body(object, try raw.bound(first: 2))
            let step = FunctionDeclaration("\(declaration.name) (its loop)", summary, results: results)
            // The loop keeps the object's userdata, and so what it has captured.
            try raw.stack.state.push(step, to: raw.stack, keeping: 1) { raw in
                guard let values = try loop.next() else {
                    try raw.stack.push(LuaValue.nil)
                    return 1
                }
                return try values.push(to: raw.stack)
            }
            guard let close = loop.close else { return 1 }
            // The fourth value of a `for` is closed when the loop is left.
            try raw.stack.push(LuaValue.nil)
            try raw.stack.push(LuaValue.nil)
            try raw.stack.check(clua_new_table(raw.stack.lua, 0, 0))
            let closed = raw.stack.top
            try raw.stack.state.pushMetatable(to: raw.stack, name: "\(declaration.name) (its loop)") { metatable in
                try raw.stack.state.push(FunctionDeclaration("\(declaration.name) (its end)", ""), to: raw.stack) {
                    raw in
                    close(raw.count > 1 && clua_type(raw.stack.lua, 2) != CLUA_NIL)
                    return 0
                }
                try raw.stack.setField(metatable, "__close")
            }
            clua_set_metatable(raw.stack.lua, closed)
            return 4
        }
    }

    private func add(_ declaration: FunctionDeclaration, named name: String, _ body: @escaping Body) {
        precondition(methodBodies[name] == nil && getters[name] == nil, "\(declaration.name) is declared twice")
        methods.append(declaration)
        methodBodies[name] = body
    }

    /// The object that a member was called on. A local of every closure that is stored here, in place of `self`.
    private var receiver: (borrowing RawCall, String) throws -> Object {
        { [name, guardian] raw, member in
            if let object = raw.stack.object(at: 1) as? Object {
                try guardian.check?(object)
                return object
            }
            let what = raw.count == 0 ? "nothing" : raw.stack.shown(at: 1)
            throw ArgumentError("\(member) of \(name) was called on \(what): write \(name):\(member)(…) with a colon")
        }
    }

    // MARK: operators

    /// An operator for these types of operands, at least one of them this class. Several may be declared for one operator: the first
    /// that fits is taken.
    public func infix<Left: LuaReadable, Right: LuaReadable>(
        _ symbol: LuaOperator, _ operands: String, _ result: LuaType,
        body: @escaping (Left, Right) throws -> some LuaPushable
    ) {
        operators.append(OperatorDeclaration(symbol: symbol, operands: operands, result: result))
        alternatives[symbol, default: []].append { left, right in
            guard let left = Left.read(left), let right = Right.read(right) else { return nil }
            return try body(left, right).luaValue
        }
    }

    /// Unary minus, which gives another of this class, or what is said.
    public func negation(_ result: LuaType? = nil, body: @escaping (Object) throws -> some LuaPushable) {
        infix(.negate, "-\(name)", result ?? .object(name)) { (object: Object, _: LuaValue) in try body(object) }
    }

    /// `object[i]` for integers from 1; nil from `body` reads as nil.
    public func elements(
        _ type: LuaType, _ summary: String, body: @escaping (Object, Int) throws -> (some LuaPushable)?
    ) {
        elementDeclaration = Parameter("\(name)[i]", type, summary)
        element = { try body($0, $1)?.luaValue }
    }

    /// `object["name"]` for names that the object itself knows, such as those of parameters; declared members come first.
    public func entries(
        _ type: LuaType, _ summary: String, names: @escaping (Object) -> [String],
        body: @escaping (Object, String) throws -> (some LuaPushable)?
    ) {
        entryDeclaration = Parameter("\(name)[\"name\"]", type, summary)
        entry = (names, { try body($0, $1)?.luaValue })
    }

    /// `#object`
    public func length(_ summary: String, body: @escaping (Object) throws -> Int) {
        lengthDeclaration = Parameter("#\(name)", .integer, summary)
        count = body
    }

    /// What `tostring`, `print` and the prompt show.
    public func description(body: @escaping (Object) -> String) { text = body }

    /// What the prompt shows of one in more than a line.
    public func view(body: @escaping (Object) -> String) { lines = body }

    /// `object(…)`
    public func callable(
        _ summary: String, parameters: [Parameter] = [], options: [Parameter] = [], results: [Parameter] = [],
        body: @escaping (Object, borrowing LuaCall) throws -> some LuaReturnable
    ) {
        let declaration = FunctionDeclaration(name, summary, parameters: parameters, options: options, results: results)
        callDeclaration = declaration
        call = DeclaredMethod(declaration: declaration) { [receiver] raw in
            let object = try receiver(raw, "a call")
            let call = try raw.bound(first: 2)
            return try body(object, call).push(to: raw.stack)
        }
    }

    /// Called before any member of an object is used: where it throws, nothing is.
    public func guarding(_ check: @escaping (Object) throws -> Void) { guardian.check = check }

    /// How many bytes an object holds outside of Lua, told when it is first handed over.
    public func external(body: @escaping (Object) -> Int) { external = body }

    // MARK: in a state

    override func describes(_ object: AnyObject) -> Bool { object is Object }
    override func externalBytes(of object: AnyObject) -> Int {
        let (bytes, overflow) = ((object as? Object).map(external) ?? 0).addingReportingOverflow(Self.ownBytes)
        return overflow ? .max : bytes
    }

    /// What an object and its storage take beside what they hold, with the allocator's share: 290 to 410 bytes of vectors and arrays of
    /// one number. A million of them would else go by `--memory` unseen.
    private static var ownBytes: Int { 350 }

    override func describe(_ object: AnyObject) -> String { (object as? Object).map(text) ?? name }

    override func view(_ object: AnyObject) -> String {
        guard let lines, let object = object as? Object else { return describe(object) }
        return lines(object)
    }

    override func result(of symbol: LuaOperator, _ left: LuaValue, _ right: LuaValue) throws -> LuaValue? {
        for alternative in alternatives[symbol, default: []] {
            if let result = try alternative(left, right) { return result }
        }
        return nil
    }

    override func install(in state: LuaState) throws {
        let stack = state.stack
        let lua = stack.lua
        let top = stack.top
        defer { stack.setTop(top) }
        let installed = InstalledClass(self)
        try pushFallback(to: stack)
        try pushRefusal(to: stack)
        try stack.check(clua_new_class(lua, installed.key, name))
        state.register(installed, for: Object.self)
        let metatable = top + 1
        for declaration in methods {
            let name = String(declaration.name.drop { $0 != ":" }.dropFirst())
            guard let body = methodBodies[name] else { continue }
            try state.push(declaration, to: stack, body: body)
            try stack.setField(top + 2, name)
        }
        // In an order of their own, not of Swift's hashes: where Lua's objects stand follows from what was allocated before them.
        for (bodies, table) in [(getters, top + 3), (setters, top + 4)] {
            for (name, body) in bodies.sorted(by: { $0.key < $1.key }) {
                try state.push(FunctionDeclaration("\(self.name).\(name)", ""), to: stack, body: body)
                try stack.setField(table, name)
            }
        }
        for symbol in LuaOperator.allCases where alternatives[symbol] != nil {
            try pushOperator(symbol, to: stack)
            try stack.setField(metatable, symbol.rawValue)
        }
        try installText(to: stack, metatable)
        if let count {
            try state.push(FunctionDeclaration("#\(name)", ""), to: stack) { [self] raw in
                try count(try receiver(raw, "the length")).push(to: raw.stack)
            }
            try stack.setField(metatable, "__len")
        }
        if count != nil, element != nil { try installPairs(to: stack, metatable) }
        if Object.self is any LuaNumeric.Type {
            try state.push(FunctionDeclaration("tonumber", ""), to: stack) { [self] raw in
                try (try receiver(raw, "tonumber") as? any LuaNumeric)?.number.push(to: raw.stack) ?? 0
            }
            try stack.setField(metatable, "__tonumber")
        }
        if let call {
            try state.push(call.declaration, to: stack, body: call.body)
            try stack.setField(metatable, "__call")
        }
    }

    /// For keys that are neither methods nor properties.
    private func pushFallback(to stack: LuaStack) throws {
        try stack.state.push(FunctionDeclaration("\(name).__index", ""), to: stack) { [self] raw in
            var index: Int64 = 0
            if clua_to_integer(raw.stack.lua, 2, &index), let element {
                return try (try element(try receiver(raw, "an element"), Int(index)) ?? .nil).push(to: raw.stack)
            }
            let key = raw.stack.string(at: 2) ?? raw.stack.shown(at: 2)
            var names = Array(getters.keys) + Array(methodBodies.keys)
            if let entry, let object = raw.stack.object(at: 1) as? Object {
                if let value = try entry.get(object, key) { return try value.push(to: raw.stack) }
                names += entry.names(object)
            }
            names.sort()
            throw ArgumentError(
                "unknown property '\(shortened(key))' of \(name)"
                    + suggestion(for: key, among: names, called: "members", in: raw.stack.state))
        }
    }

    /// For assignments to what is no settable property.
    private func pushRefusal(to stack: LuaStack) throws {
        try stack.state.push(FunctionDeclaration("\(name).__newindex", ""), to: stack) { [self] raw in
            let key = raw.stack.string(at: 2) ?? raw.stack.shown(at: 2)
            if getters[key] != nil || methodBodies[key] != nil {
                throw ArgumentError("'\(key)' of \(name) cannot be assigned")
            }
            guard !setters.isEmpty else {
                throw ArgumentError("\(name.withArticle) cannot be changed: '\(key)' was assigned to")
            }
            let hint = suggestion(for: key, among: setters.keys.sorted(), called: "can be assigned")
            throw ArgumentError("unknown property '\(shortened(key))' of \(name)" + hint)
        }
    }

    /// Lua asks the left operand's class; where that does not know what to do with the right one, it is asked in its turn.
    private func pushOperator(_ symbol: LuaOperator, to stack: LuaStack) throws {
        let words = operators.filter { $0.symbol == symbol }.map(\.operands).joined(separator: ", ")
        try stack.state.push(FunctionDeclaration("\(name) \(symbol.symbol)", ""), to: stack) { [self] raw in
            let left = try raw.stack.value(at: 1)
            let right = try raw.stack.value(at: 2)
            if let result = try result(of: symbol, left, right) { return try result.push(to: raw.stack) }
            if case .object(let object) = right, let other = raw.stack.state.installedClass(of: object)?.declaration,
                other !== self, let result = try other.result(of: symbol, left, right)
            {
                return try result.push(to: raw.stack)
            }
            // Of two kinds: never the same, as in Lua.
            if symbol == .equal { return try LuaValue.boolean(false).push(to: raw.stack) }
            throw ArgumentError(
                "'\(symbol.symbol)' cannot be applied to \(raw.stack.shown(at: 1)) and \(raw.stack.shown(at: 2)) (it takes: \(words))"
            )
        }
    }

    /// `pairs`: the elements in order, as `ipairs` gives them.
    private func installPairs(to stack: LuaStack, _ metatable: Int32) throws {
        let state = stack.state
        let next = FunctionDeclaration("next of \(name)", "")
        try state.push(FunctionDeclaration("pairs", ""), to: stack) { [self] raw in
            let object = try receiver(raw, "pairs")
            try raw.stack.state.push(next, to: raw.stack) { [self] raw in
                var place: Int64 = 0
                guard clua_to_integer(raw.stack.lua, 2, &place), let element,
                    let value = try element(try receiver(raw, "an element"), Int(place) + 1)
                else { return try LuaValue.nil.push(to: raw.stack) }
                return try LuaResults(Int(place) + 1, value).push(to: raw.stack)
            }
            return try LuaResults(object, 0).push(to: raw.stack) + 1
        }
        try stack.setField(metatable, "__pairs")
    }

    /// `tostring` and `..`
    private func installText(to stack: LuaStack, _ metatable: Int32) throws {
        let state = stack.state
        try state.push(FunctionDeclaration("tostring", ""), to: stack) { [self] raw in
            try text(try receiver(raw, "tostring")).push(to: raw.stack)
        }
        try stack.setField(metatable, "__tostring")
        try state.push(FunctionDeclaration("..", ""), to: stack) { raw in
            try (raw.stack.state.text(at: 1, of: raw.stack) + raw.stack.state.text(at: 2, of: raw.stack))
                .push(to: raw.stack)
        }
        try stack.setField(metatable, "__concat")
    }
}

extension LuaState {
    /// Makes a class known. Its objects can be pushed from then on.
    public func install(_ objectClass: AnyObjectClass) throws { try objectClass.install(in: self) }

    /// A string or number as `..` takes it, or the text of an object or error of ours.
    func text(at index: Int32, of stack: LuaStack) throws -> String {
        if let text = stack.string(at: index) { return text }
        if clua_type(stack.lua, index) == CLUA_NUMBER { return stack.shown(at: index) }
        if let error = errorObject(at: index, of: stack.lua) { return error.error.description }
        if let object = stack.object(at: index), let installed = installedClass(of: object) {
            return installed.declaration.describe(object)
        }
        throw ArgumentError("'..' cannot be applied to \(stack.shown(at: index))")
    }
}
