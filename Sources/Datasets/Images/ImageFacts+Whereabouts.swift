extension ImageFacts {
    /// Where the files of the data set are on this machine.
    /// - Throws: `DatasetError` that says where they were looked for, and how to get them.
    public func whereabouts() throws -> String { try DataFolders(self, explicit: nil).find() }
}
