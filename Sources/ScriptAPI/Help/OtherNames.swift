/// What the field, or another library, calls something that has another name here.
enum OtherNames {
    /// What is meant, in a sentence; nil for names without a known meaning.
    static func hint(for name: String) -> String? { table[name.lowercased()] }

    private static let table: [String: String] = [
        "swish": "'swish' is activation = \"silu\" here",
        "cross_entropy": "'cross_entropy' is loss = \"ce\" here, on outputs before the softmax",
        "crossentropyloss": "'CrossEntropyLoss' is loss = \"ce\" here",
        "bcewithlogitsloss": "'BCEWithLogitsLoss' is loss = \"bce\" here",
        "mseloss": "'MSELoss' is loss = \"mse_mean\" here; \"mse\" sums over outputs",
        "l2": "'l2' is loss = \"mse\" here (summed over outputs), or the setting weight_decay of an optimizer",
        "nll": "'nll' is loss = \"ce\" here, on outputs before the softmax",
        "softmax": "a softmax before the loss is part of loss = \"ce\"; eoss.softmax is the function",
        "sharpness": "'sharpness' is the quantity \"lambda_max\" here",
        "max_eigenvalue": "'max_eigenvalue' is the quantity \"lambda_max\" here",
        "top_eigenvalue": "'top_eigenvalue' is the quantity \"lambda_max\" here",
        "hessian_trace": "'hessian_trace' is the quantity \"trace\" here",
        "learning_rate": "'learning_rate' is 'lr' here",
        "eta": "'eta' is 'lr' here",
        "batchsize": "'batchsize' is 'batch_size' here",
        "epochs": "run:train{ epochs = n } trains n further epochs",
        "dataloader": "data are given to eoss.run whole; batch_size and sampling say how batches are made of them",
        "state_dict": "net:save(\"x.safetensors\") and net:load(\"x.safetensors\") exchange a state_dict with PyTorch",
        "wandb": "measurements, events, figures and checkpoints are in the run file; eoss ls, show and report open it",
        "tensorboard": "eoss export FILE --to tensorboard writes what TensorBoard reads",
        "backward": "run:gradient() gives the gradient, run:hvp(v) a Hessian-vector product",
        "autograd": "run:gradient(), run:hvp(v) and run:D(v, …) give derivatives of any order",
        "scheduler": "eoss.schedule has learning rates that change: run.lr = eoss.schedule.cosine{ … }",
        "io": "scripts are in a sandbox without 'io'; eoss run --trust lifts it",
        "debug": "scripts are in a sandbox without 'debug'; eoss run --trust lifts it",
        "vit": "'vit' is eoss.nn.vit here",
    ]
}
