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
        "execute": "scripts are in a sandbox, where 'os' has time, date, clock and difftime; eoss run --trust lifts it",
        "getenv":
            "scripts are in a sandbox without the environment; eoss.params and --set give them settings, --trust lifts it",
        "momentum": "eoss.optim.momentum{ lr = …, beta = … } is descent with momentum",
        "nesterov": "eoss.optim.nesterov{ lr = …, beta = … } is Nesterov's momentum",
        "rho": "eoss.optim.sam{ lr = …, rho = … }, or field = eoss.field.sam{ rho = … } of another rule",
        "betas": "'betas' are beta1 and beta2 here",
        "dampening": "there is no dampening; beta is the momentum of eoss.optim.momentum",
        "steps": "how long is said by run:train{ steps = … }",
        "hidden_sizes": "'hidden_sizes' is 'hidden' here: hidden = { 200, 200 }",
        "conv": "eoss.nn has conv1d, conv2d and conv_transpose2d",
        "maxpool2d": "'MaxPool2d' is eoss.nn.max_pool2d here",
        "avgpool2d": "'AvgPool2d' is eoss.nn.avg_pool2d here",
        "batchnorm1d": "'BatchNorm1d' is eoss.nn.batchnorm here",
        "batchnorm2d": "'BatchNorm2d' is eoss.nn.batchnorm here",
        "eval":
            "quantities over all data have no mode; with batch norm the option statistics = \"running\" takes the running values",
        "grad": "run:gradient() gives the gradient",
        "parameters": "run.params is the vector of all parameters; net.shapes names them",
        "zero_grad": "gradients are values here, and nothing accumulates: run:gradient()",
        "item": "numbers are numbers here; a measurement has .value and .stderr",
    ]
}
