"""PyTorch's optimizers in f64, for `TorchOptimizerTests.swift`.

    python torch_optimizers.py < QUESTION > ANSWER

QUESTION is JSON: `widths` of a fully connected tanh network, flat `parameters` in the order weight, bias layer by layer, `inputs`, `targets`,
`batches` (one list of sample numbers a step, from 0) and `rules`, each with the name of a class of torch.optim and its options. ANSWER is,
for each rule, the flat parameters after each step on the mean over the batch of the squared distance between output and target.

torch.optim.Muon takes matrices alone, and rounds them to bfloat16 on its way. Here its iteration is left in f64, and biases take the steps that
`Muon.swift` documents for them.
"""

import json
import sys

import torch

question = json.load(sys.stdin)
inputs = torch.tensor(question["inputs"], dtype=torch.float64)
targets = torch.tensor(question["targets"], dtype=torch.float64)
widths = question["widths"]


# What Muon looks up when it makes a matrix orthogonal.
torch.bfloat16 = torch.float64


class MuonWithBiases:
    def __init__(self, parameters, lr, momentum, weight_decay, nesterov):
        options = dict(lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
        self.matrices = torch.optim.Muon([p for p in parameters if p.ndim == 2], **options)
        self.biases = [(p, torch.zeros_like(p)) for p in parameters if p.ndim == 1]
        self.lr, self.momentum, self.decay, self.nesterov = lr, momentum, weight_decay, nesterov

    def zero_grad(self):
        self.matrices.zero_grad()
        for bias, _ in self.biases:
            bias.grad = None

    @torch.no_grad()
    def step(self):
        self.matrices.step()
        for bias, velocity in self.biases:
            velocity.mul_(self.momentum).add_(bias.grad)
            direction = bias.grad + self.momentum * velocity if self.nesterov else velocity
            root_mean_square = direction.square().mean().sqrt()
            bias.mul_(1 - self.lr * self.decay).sub_(self.lr * direction / root_mean_square)


def train(rule):
    flat = torch.tensor(question["parameters"], dtype=torch.float64)
    parameters = []
    for a, b in zip(widths, widths[1:]):
        for shape in ([b, a], [b]):
            count = torch.Size(shape).numel()
            parameters.append(flat[:count].reshape(shape).clone().requires_grad_())
            flat = flat[count:]
    make = MuonWithBiases if rule["name"] == "Muon" else getattr(torch.optim, rule["name"])
    optimizer = make(parameters, **rule["options"])
    path = []
    for batch in question["batches"]:
        x = inputs[batch]
        for layer in range(0, len(parameters), 2):
            x = x @ parameters[layer].T + parameters[layer + 1]
            x = torch.tanh(x) if layer + 2 < len(parameters) else x
        optimizer.zero_grad()
        ((x - targets[batch]) ** 2).sum(1).mean().backward()
        optimizer.step()
        path.append(torch.cat([p.detach().flatten() for p in parameters]).tolist())
    return path


json.dump([train(rule) for rule in question["rules"]], sys.stdout)
