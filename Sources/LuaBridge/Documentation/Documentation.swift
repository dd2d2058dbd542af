import CLua

/// Everything that scripts can name: what help, the reference, editors' stubs and completion are made of.
///
/// It is made of the declarations that check the calls, and so cannot say anything else than what holds.
public struct Documentation {
    /// Functions and namespaces that are globals.
    public let functions: [FunctionDeclaration]
    public let namespaces: [Namespace]
    /// The classes of the objects that scripts hold.
    public let classes: [AnyObjectClass]
    /// What strings stand for: quantities that can be measured, say.
    public let topics: [Topic]
    /// A program for each function, by its name.
    public let examples: [String: String]

    /// Something that scripts name by a string.
    public struct Topic: Sendable {
        public let name: String
        /// What it is: "quantity".
        public let kind: String
        /// The definition, with its source in square brackets.
        public let summary: String
        public let options: [Parameter]
        /// Further facts, each with what it is called: "series", "edge".
        public let facts: [(name: String, text: String)]

        public init(
            _ name: String, kind: String, _ summary: String, options: [Parameter] = [],
            facts: [(name: String, text: String)] = []
        ) {
            (self.name, self.kind, self.summary, self.options, self.facts) = (name, kind, summary, options, facts)
        }
    }

    public init(
        functions: [FunctionDeclaration] = [], namespaces: [Namespace] = [], classes: [AnyObjectClass] = [],
        topics: [Topic] = [], examples: [String: String] = [:]
    ) {
        (self.functions, self.namespaces, self.classes) = (functions, namespaces, classes)
        (self.topics, self.examples) = (topics, examples)
    }

    /// One thing that has a name.
    public enum Entry {
        case function(FunctionDeclaration)
        case namespace(Namespace)
        case constant(name: String, value: LuaValue, LuaType, summary: String)
        case objectClass(AnyObjectClass)
        case property(AnyObjectClass, Parameter)
        case topic(Topic)

        /// As help takes it: `eoss.nn.mlp`, `run:train`, `run.loss`, `batch_sharpness`.
        public var name: String {
            switch self {
            case .function(let declaration): declaration.name
            case .namespace(let namespace): namespace.name
            case .constant(let name, _, _, _): name
            case .objectClass(let declaration): declaration.name
            case .property(let owner, let property): "\(owner.name).\(property.name)"
            case .topic(let topic): topic.name
            }
        }

        public var summary: String {
            switch self {
            case .function(let declaration): declaration.summary
            case .namespace(let namespace): namespace.summary
            case .constant(_, _, _, let summary): summary
            case .objectClass(let declaration): declaration.summary
            case .property(_, let property): property.summary
            case .topic(let topic): topic.summary
            }
        }
    }

    /// Everything that has a name, in the order of its declaration.
    public var entries: [Entry] {
        functions.map(Entry.function) + namespaces.flatMap(Self.entries) + classes.flatMap(Self.entries)
            + topics.map(Entry.topic)
    }

    private static func entries(_ namespace: Namespace) -> [Entry] {
        [.namespace(namespace)]
            + namespace.members.flatMap { name, member -> [Entry] in
                switch member {
                case .function(let function): [.function(function.declaration)]
                case .constant(let value, let type, let summary):
                    [.constant(name: "\(namespace.name).\(name)", value: value, type, summary: summary)]
                case .namespace(let inner): entries(inner)
                }
            }
    }

    private static func entries(_ declaration: AnyObjectClass) -> [Entry] {
        [.objectClass(declaration)] + declaration.properties.map { .property(declaration, $0) }
            + declaration.methods.map(Entry.function)
    }

    /// What a name means: the whole name, a method with a dot for its colon, or, where only one thing ends in it, its last part
    /// (`mlp` for `eoss.nn.mlp`). Of several things of one whole name a topic comes last.
    public func entry(named name: String) -> Entry? {
        let plain = name.replacing(":", with: ".")
        let all = entries
        if let whole = all.first(where: { $0.name.replacing(":", with: ".") == plain }) { return whole }
        let ending = all.filter { $0.name.replacing(":", with: ".").hasSuffix(".\(plain)") }
        return ending.count == 1 ? ending[0] : nil
    }

    /// Bytes of what may be searched for.
    private static let longestSearch = 200

    /// All whose last part is this.
    public func entries(ending name: String) -> [Entry] {
        entries.filter { $0.name.replacing(":", with: ".").hasSuffix(".\(name)") }
    }

    /// What mentions a text in its name, its sentence, or the sentences of its options; names first.
    public func search(_ text: String) -> [Entry] {
        // Texts are looked through for each place where it could begin.
        guard text.utf8.count <= Self.longestSearch else { return [] }
        let wanted = text.lowercased()
        func mentions(_ entry: Entry) -> Bool {
            if entry.summary.lowercased().contains(wanted) { return true }
            let parameters: [Parameter]
            switch entry {
            case .function(let declaration): parameters = declaration.parameters + declaration.options
            case .topic(let topic): parameters = topic.options
            default: parameters = []
            }
            return parameters.contains { "\($0.name) \($0.summary)".lowercased().contains(wanted) }
        }
        let all = entries
        let named = all.filter { $0.name.lowercased().contains(wanted) }
        return named + all.filter { !$0.name.lowercased().contains(wanted) && mentions($0) }
    }

    /// The class whose objects a type means, where it means those of one class.
    public func objectClass(of type: LuaType) -> AnyObjectClass? {
        switch type.shape {
        case .object(let name): classes.first { $0.isNamed(name) }
        case .union(let types): types.lazy.compactMap { objectClass(of: $0) }.first
        default: nil
        }
    }
}

extension LuaStack {
    /// What a value is that has a declaration. Calls no metamethod.
    func subject(at index: Int32) -> LuaCall.Subject? {
        switch clua_type(lua, index) {
        case CLUA_FUNCTION:
            return clua_to_function(lua, index).map {
                .function(Unmanaged<FunctionObject>.fromOpaque($0).takeUnretainedValue().declaration)
            }
        case CLUA_USERDATA:
            return object(at: index).flatMap { state.installedClass(of: $0) }.map { .objectClass($0.declaration) }
        case CLUA_TABLE:
            let top = self.top
            defer { setTop(top) }
            guard clua_has_metatable(lua, index), clua_push_metatable_name(lua, index) == CLUA_OK else { return nil }
            return string(at: -1).map(LuaCall.Subject.namespace)
        default: return nil
        }
    }
}
