/// Why a graph cannot be compiled or run on this machine.
public enum PlanError: Error, Equatable, CustomStringConvertible {
    /// OpenBLAS is not there, or lacks what is needed; the text says what to install.
    case library(String)
    /// No kernel does this.
    case unsupported(String)
    /// An elementwise region that the register machine cannot hold.
    case regionTooLarge(nodes: Int)
    /// The names of `donating` do not fit the graph.
    case donation(String)

    public var description: String {
        switch self {
        case .library(let reason): reason
        case .unsupported(let operation): "the engine has no kernel for \(operation)"
        case .regionTooLarge(let nodes): "an elementwise region of \(nodes) operations is too large: fuse fewer of them"
        case .donation(let reason): reason
        }
    }
}
