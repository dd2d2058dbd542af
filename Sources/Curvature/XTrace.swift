import Compute
import Graph

func xtrace(
    _ matrix: some LinearOperator, _ samples: MonteCarlo, _ stream: inout RandomStream
) throws -> Estimate {
    try hutchPlusPlus(matrix, samples, &stream)
}
