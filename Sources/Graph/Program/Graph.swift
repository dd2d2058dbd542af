/// A value of a graph: the number of an input or of a node's result.
public struct Value: Hashable, Sendable, Comparable {
    public let id: Int
    public init(_ id: Int) { self.id = id }
    public static func < (a: Value, b: Value) -> Bool { a.id < b.id }
}

/// A tensor program as a value: a pure list of typed operations in single static assignment.
///
/// Values are numbered: the inputs first, in order, then the results of the nodes, in order. A node's operands have smaller
/// numbers than its results, so the list is a schedule. Nothing in a graph has an effect; random numbers are inputs.
///
/// Made by `GraphBuilder`, which checks the types.
public struct Graph: Sendable {
    public struct Input: Hashable, Sendable {
        public let name: String
        public let type: TensorType
        public init(name: String, type: TensorType) {
            self.name = name
            self.type = type
        }
    }

    public struct Node: Sendable {
        public let operation: any Operation
        public let operands: [Value]
        /// The numbers of the results; one for every operation but `scan`.
        public let results: Range<Int>

        public init(operation: any Operation, operands: [Value], results: Range<Int>) {
            self.operation = operation
            self.operands = operands
            self.results = results
        }

        /// The only result. Defined for operations with one.
        public var result: Value { Value(results.lowerBound) }

        /// The operation and the types of its operands and results, for a person.
        /// - Parameter graph: the node's.
        package func summary(in graph: Graph) -> String {
            let operands = operands.map { graph.type(of: $0).description }.joined(separator: ", ")
            let results = results.map { graph.types[$0].description }.joined(separator: ", ")
            return "\(operation.mnemonic) \(operands) -> \(results)"
        }
    }

    public struct Output: Hashable, Sendable {
        public let name: String
        public let value: Value
        public init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    public let inputs: [Input]
    public let nodes: [Node]
    public let outputs: [Output]
    /// The type of every value, by number.
    public let types: [TensorType]

    public func type(of value: Value) -> TensorType { types[value.id] }
    public func inputValue(_ index: Int) -> Value { Value(index) }
    public func inputIndex(_ name: String) -> Int? { inputs.firstIndex { $0.name == name } }
    public func outputIndex(_ name: String) -> Int? { outputs.firstIndex { $0.name == name } }
}

extension Graph.Node: Hashable {
    public static func == (a: Self, b: Self) -> Bool {
        a.operands == b.operands && a.results == b.results && a.operation.isEqual(to: b.operation)
    }
    public func hash(into hasher: inout Hasher) {
        operation.hash(into: &hasher)
        hasher.combine(operands)
    }
}

extension Graph: Hashable {
    public static func == (a: Graph, b: Graph) -> Bool {
        a.inputs == b.inputs && a.outputs == b.outputs && a.types == b.types && a.nodes == b.nodes
    }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(inputs)
        hasher.combine(nodes)
        hasher.combine(outputs)
    }
}
