"""PyTorch's optimizers in f64, for `TorchOptimizerTests.swift`.

    python torch_optimizers.py < QUESTION > ANSWER

QUESTION is JSON: `widths` of a fully connected tanh network, flat `parameters` in the order weight, bias layer by layer, `inputs`, `targets`,
`batches` (one list of sample numbers a step, from 0) and `rules`, each with the name of a class of torch.optim and its options. ANSWER is,
for each rule, the flat parameters after each step on the mean over the batch of the squared distance between output and target.
"""

import json
import sys

import torch

question = json.load(sys.stdin)
inputs = torch.tensor(question["inputs"], dtype=torch.float64)
targets = torch.tensor(question["targets"], dtype=torch.float64)
widths = question["widths"]


def train(rule):
    flat = torch.tensor(question["parameters"], dtype=torch.float64)
    parameters = []
    for a, b in zip(widths, widths[1:]):
        for shape in ([b, a], [b]):
            count = torch.Size(shape).numel()
            parameters.append(flat[:count].reshape(shape).clone().requires_grad_())
            flat = flat[count:]
    optimizer = getattr(torch.optim, rule["name"])(parameters, **rule["options"])
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
