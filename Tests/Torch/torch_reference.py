"""The networks of the zoo in PyTorch, for `TorchAgreementTests.swift`.

    python torch_reference.py FOLDER

For every FOLDER/NAME.in.safetensors: builds the model that its metadata names, checks that the names, shapes and order of parameters
and running values are those given there, and writes loss, gradient and Hessian-vector product (double backward) to
FOLDER/NAME.out.safetensors. The loss is the mean over samples of the squared distance between output and target.
"""

import glob
import json
import math
import sys

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

ACTIVATIONS = {
    "relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "elu": nn.ELU, "selu": nn.SELU, "silu": nn.SiLU, "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU(approximate="tanh"), "tanh": nn.Tanh, "hardtanh": nn.Hardtanh, "sigmoid": nn.Sigmoid,
    "softplus": lambda: nn.Softplus(threshold=50), "relu6": nn.ReLU6, "mish": nn.Mish, "softsign": nn.Softsign,
    "log_sigmoid": nn.LogSigmoid,
    # PyTorch's own have no second derivative.
    "hard_sigmoid": lambda: Function(lambda x: F.relu6(x + 3) / 6),
    "hard_swish": lambda: Function(lambda x: x * F.relu6(x + 3) / 6),
    "identity": nn.Identity,
}


def act(name):
    return ACTIVATIONS[name]()


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *x):
        return self.function(*x)


def pool(kind):
    return nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2)


def conv3(inputs, outputs, stride=1, padding=1, bias=False):
    return nn.Conv2d(inputs, outputs, 3, stride, padding, bias=bias)


# Fully connected


class MLP(nn.Module):
    def __init__(self, widths, activation="relu", bias=True):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=bias) for a, b in zip(widths, widths[1:]))
        self.activation = act(activation)

    def forward(self, x):
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


def fc(widths, activation="tanh", batch_norm=False, bias=True):
    layers = [nn.Flatten()]
    for a, b in zip(widths, widths[1:-1]):
        layers += [nn.Linear(a, b, bias=bias), act(activation)] + ([nn.BatchNorm1d(b)] if batch_norm else [])
    return nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1], bias=bias))


def deep_linear(width, layers):
    return nn.Sequential(*[nn.Linear(width, width, bias=False) for _ in range(layers)])


def chebyshev(hidden):
    return nn.Sequential(nn.Linear(1, hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))


class Autoencoder(nn.Module):
    def __init__(self, inputs, activation, tied):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(inputs))
        if not tied:
            self.v = nn.Parameter(torch.zeros(inputs))
        self.activation, self.tied = act(activation), tied

    def forward(self, x):
        return self.activation(x @ self.w)[:, None] * (self.w if self.tied else self.v)


# Convolutional


class CNN(nn.Module):
    def __init__(self, inputs, channels, hidden, outputs, side, activation="relu"):
        super().__init__()
        a, b, c = channels
        self.convs = nn.Sequential(
            conv3(inputs, a, padding=0, bias=True), act(activation), conv3(a, b, padding=0, bias=True), act(activation),
            nn.MaxPool2d(2), conv3(b, c, padding=0, bias=True), act(activation), nn.MaxPool2d(2))
        side = ((side - 4) // 2 - 2) // 2
        self.fcs = nn.Sequential(nn.Linear(c * side * side, hidden), act(activation), nn.Linear(hidden, outputs))

    def forward(self, x):
        return self.fcs(self.convs(x).flatten(1))


def convnet(inputs, channels, outputs, side, activation="relu", pooling="max", batch_norm=False):
    layers = []
    for count in channels:
        layers += [conv3(inputs, count, bias=True), act(activation)]
        layers += ([nn.BatchNorm2d(count)] if batch_norm else []) + [pool(pooling)]
        inputs, side = count, side // 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(inputs * side * side, outputs))


def central_flows_cnn(inputs, width, outputs, side):
    def conv(a, b):
        return nn.Conv2d(a, b, 3, padding="same", bias=False)

    return nn.Sequential(
        conv(inputs, width), nn.GELU(), nn.AvgPool2d(2), conv(width, 2 * width), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(2 * width * (side // 4) ** 2, 4 * width, bias=False), nn.GELU(), nn.Linear(4 * width, outputs))


class VGG(nn.Module):
    def __init__(self, inputs, width, outputs, batch_norm=False):
        super().__init__()
        layers = []
        for entry in [1, "M", 2, "M", 4, 4, "M", 8, 8, "M", 8, 8, "M"]:
            if entry == "M":
                layers.append(nn.MaxPool2d(2))
                continue
            count = entry * width
            layers += [conv3(inputs, count, bias=True)] + ([nn.BatchNorm2d(count)] if batch_norm else []) + [nn.ReLU()]
            inputs = count
        self.features = nn.Sequential(*layers)
        wide = 8 * width
        self.classifier = nn.Sequential(
            nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, wide), nn.ReLU(), nn.Linear(wide, outputs))

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


# Residual


def stages(blocks, width, block):
    """Three stages; the second and third begin by halving the image and doubling the channels."""
    result, inputs = [], width
    for stage in range(3):
        outputs = width * 2**stage
        layers = []
        for index in range(blocks):
            layers.append(block(inputs, outputs, 2 if stage and not index else 1))
            inputs = outputs
        result.append(nn.Sequential(*layers))
    return result


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, norm):
        super().__init__()
        self.conv1, self.bn1 = conv3(inputs, outputs, stride), norm(outputs)
        self.conv2, self.bn2 = conv3(outputs, outputs), norm(outputs)
        self.stride, self.pad = stride, outputs // 4

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.pad, self.pad))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, inputs, blocks, width, outputs, batch_norm=False):
        super().__init__()
        norm = nn.BatchNorm2d if batch_norm else (lambda count: nn.Identity())
        self.conv1, self.bn1 = conv3(inputs, width), norm(width)
        self.layer1, self.layer2, self.layer3 = stages(blocks, width, lambda a, b, s: BasicBlock(a, b, s, norm))
        self.linear = nn.Linear(4 * width, outputs)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(x.mean((2, 3)))


class CohenBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv3(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv3(outputs, outputs), nn.BatchNorm2d(outputs)
        if stride != 1:
            self.downsample = nn.Sequential(nn.AvgPool2d(1, stride=stride), nn.BatchNorm2d(inputs))
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride != 1:
            x = self.downsample(x)
            x = torch.cat((x, torch.zeros_like(x)), 1)
        return F.relu(y + x)


class CohenResNet(nn.Module):
    def __init__(self, inputs, blocks, width, outputs):
        super().__init__()
        self.conv1, self.bn1 = conv3(inputs, width), nn.BatchNorm2d(width)
        self.layer1, self.layer2, self.layer3 = stages(blocks, width, CohenBlock)
        self.fc = nn.Linear(4 * width, outputs)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


class UnbiasedGroupNorm(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.groups = groups
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        y = x.reshape(len(x), self.groups, -1)
        y = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True) + 1e-6).sqrt()
        return y.reshape(x.shape) * self.weight[:, None, None] + self.bias[:, None, None]


class CentralFlowsBlock(nn.Module):
    def __init__(self, inputs, outputs, stride, groups, scale):
        super().__init__()
        self.conv1, self.bn1 = conv3(inputs, outputs, stride), UnbiasedGroupNorm(outputs, groups)
        self.conv2, self.bn2 = conv3(outputs, outputs), UnbiasedGroupNorm(outputs, groups)
        self.shortcut = nn.Identity()
        if stride != 1:
            self.shortcut = nn.Sequential(conv3(inputs, outputs, stride), UnbiasedGroupNorm(outputs, groups))
        self.scale = scale

    def forward(self, x):
        return self.shortcut(x) + self.scale * self.bn2(self.conv2(F.gelu(self.bn1(self.conv1(x)))))


class CentralFlowsResNet(nn.Module):
    def __init__(self, inputs, stages, width, outputs, side):
        super().__init__()
        self.in_proj = nn.Sequential(conv3(inputs, width), nn.GELU())
        parts, channels, scale = [], width, sum(stages) ** -0.5
        for stage, count in enumerate(stages):
            blocks, out = [], width * 2**stage
            for index in range(count):
                stride = 2 if stage and not index else 1
                blocks.append(CentralFlowsBlock(channels, out, stride, width, scale))
                channels = out
            parts.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*parts)
        side = side // 2 ** (len(stages) - 1) // 4
        self.out_proj = nn.Linear(channels * side * side, outputs)

    def forward(self, x):
        return self.out_proj(F.avg_pool2d(self.stages(self.in_proj(x)), 4).flatten(1))


def conv1(inputs, outputs, stride):
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Conv2d(inputs, outputs, 1, stride, bias=False)


class WideBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv3(inputs, outputs, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv3(outputs, outputs)
        self.shortcut = conv1(inputs, outputs, stride)

    def forward(self, x):
        return self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x)))))) + self.shortcut(x)


class FixupBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        for name, count in [("bias1a", inputs), ("bias1b", outputs), ("bias2a", outputs), ("bias2b", outputs)]:
            setattr(self, name, nn.Parameter(torch.zeros(1, count, 1, 1)))
        self.scale = nn.Parameter(torch.ones(1, outputs, 1, 1))
        self.conv1, self.conv2 = conv3(inputs, outputs, stride), conv3(outputs, outputs)
        self.shortcut = conv1(inputs, outputs, stride)

    def forward(self, x):
        y = self.conv1(F.relu(x + self.bias1a)) + self.bias1b
        return self.conv2(F.relu(y + self.bias2a)) * self.scale + self.bias2b + self.shortcut(x)


class WideResNet(nn.Module):
    def __init__(self, inputs, blocks, base, widen, outputs, batch_norm=True):
        super().__init__()
        self.batch_norm = batch_norm
        kind = WideBlock if batch_norm else FixupBlock
        if not batch_norm:
            self.bias = nn.Parameter(torch.zeros(1, 4 * base * widen, 1, 1))
        self.stem = conv3(inputs, base)
        widths = [base] + [base * widen * 2**i for i in range(3)]
        for i in range(3):
            parts = [kind(widths[i], widths[i + 1], 2 if i else 1)]
            parts += [kind(widths[i + 1], widths[i + 1], 1) for _ in range(blocks - 1)]
            setattr(self, f"group{i + 1}", nn.Sequential(*parts))
        if batch_norm:
            self.bn = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], outputs)

    def forward(self, x):
        x = self.group3(self.group2(self.group1(self.stem(x))))
        x = F.relu(self.bn(x) if self.batch_norm else x + self.bias)
        return self.fc(x.mean((2, 3)))


# Sequences and attention


class GammaNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(width)), nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return self.gamma * (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-6) + self.beta


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class VITAttention(nn.Module):
    def __init__(self, width, heads, head_width):
        super().__init__()
        self.heads, self.norm = heads, GammaNorm(width)
        self.to_qkv = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.to_out = nn.Linear(heads * head_width, width, bias=False)

    def forward(self, x):
        parts = self.to_qkv(self.norm(x)).chunk(3, -1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])).softmax(-1)
        return self.to_out((weights @ v).transpose(1, 2).flatten(2))


class VITFeedForward(nn.Module):
    def __init__(self, width, hidden):
        super().__init__()
        self.net = nn.Sequential(GammaNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x):
        return self.net(x)


class VITBody(nn.Module):
    def __init__(self, width, depth, heads, head_width, hidden):
        super().__init__()
        self.norm = GammaNorm(width)
        self.layers = nn.ModuleList(
            nn.ModuleList([VITAttention(width, heads, head_width), VITFeedForward(width, hidden)]) for _ in range(depth))

    def forward(self, x):
        for attention, feed_forward in self.layers:
            x = attention(x) + x
            x = feed_forward(x) + x
        return self.norm(x)


class VIT(nn.Module):
    def __init__(self, inputs, patch, width, depth, heads, head_width, hidden, outputs, side):
        super().__init__()
        size, count = inputs * patch * patch, side // patch

        def cut(x):
            x = x.unflatten(3, (count, patch)).unflatten(2, (count, patch))
            return x.permute(0, 2, 4, 3, 5, 1).reshape(len(x), count * count, size)

        self.to_patch_embedding = nn.Sequential(
            Function(cut), GammaNorm(size), nn.Linear(size, width), GammaNorm(width))
        row, column = torch.meshgrid(torch.arange(count), torch.arange(count), indexing="ij")
        frequency = 10000.0 ** -(torch.arange(width // 4, dtype=torch.float64) / (width // 4 - 1))
        angles = [place.flatten()[:, None] * frequency for place in (column, row)]
        self.positions = torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], 1)
        self.transformer = VITBody(width, depth, heads, head_width, hidden)
        self.linear_head = nn.Linear(width, outputs)

    def forward(self, x):
        x = self.to_patch_embedding(x)
        return self.linear_head(self.transformer(x + self.positions.to(x)).mean(1))


def sinusoids(length, width):
    angle = torch.arange(length, dtype=torch.float64)[:, None] * torch.exp(
        torch.arange(0, width, 2, dtype=torch.float64) * (-math.log(10000.0) / width))
    return torch.stack([angle.sin(), angle.cos()], 2).flatten(1)


class Transformer(nn.Module):
    def __init__(self, vocabulary, length, width, layers, heads, hidden, causal_memory=False):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        layer = nn.TransformerDecoderLayer(width, heads, hidden, 0.0, "gelu", batch_first=True)
        self.decoder = nn.TransformerDecoder(layer, layers)
        self.output_layer = nn.Linear(width, vocabulary)
        for part in self.decoder.layers:
            part.norm1, part.norm2, part.norm3 = GammaNorm(width), GammaNorm(width), GammaNorm(width)
        self.positions, self.causal_memory = sinusoids(length, width), causal_memory

    def forward(self, tokens):
        x = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        x = x + self.positions.to(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype)
        return self.output_layer(self.decoder(x, x, tgt_mask=mask, memory_mask=mask if self.causal_memory else None))


class LSTMCell(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.Wih, self.Whh = nn.Parameter(torch.zeros(inputs, 4 * hidden)), nn.Parameter(torch.zeros(hidden, 4 * hidden))
        self.bih, self.bhh = nn.Parameter(torch.zeros(4 * hidden)), nn.Parameter(torch.zeros(4 * hidden))
        self.hidden = hidden

    def forward(self, x):
        h = c = x.new_zeros(len(x), self.hidden)
        outputs = []
        for t in range(x.shape[1]):
            i, f, g, o = (x[:, t] @ self.Wih + self.bih + h @ self.Whh + self.bhh).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            outputs.append(h)
        return torch.stack(outputs, 1)


class LSTM(nn.Module):
    def __init__(self, vocabulary, width, hidden, layers):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.lstm = nn.Module()
        self.lstm.layers = nn.ModuleList(LSTMCell(hidden if i else width, hidden) for i in range(layers))
        self.linear = nn.Linear(hidden, vocabulary)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.lstm.layers:
            x = layer(x)
        return self.linear(x)


class MambaBlock(nn.Module):
    def __init__(self, width, states, expansion, kernel):
        super().__init__()
        inner, self.rank, self.states = expansion * width, math.ceil(width / 16), states
        self.in_proj = nn.Linear(width, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, kernel, groups=inner, padding=kernel - 1)
        self.x_proj = nn.Linear(inner, self.rank + 2 * states, bias=False)
        self.dt_proj = nn.Linear(self.rank, inner)
        self.A_log = nn.Parameter(torch.zeros(inner, states))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, width, bias=False)

    def forward(self, u):
        x, z = self.in_proj(u).chunk(2, -1)
        x = F.silu(self.conv1d(x.transpose(1, 2))[:, :, : u.shape[1]].transpose(1, 2))
        d, b, c = self.x_proj(x).split([self.rank, self.states, self.states], -1)
        delta = F.softplus(self.dt_proj(d), threshold=50)
        a = -self.A_log.exp()
        state, outputs = 0, []
        for t in range(u.shape[1]):
            step = delta[:, t, :, None]
            state = (step * a).exp() * state + step * b[:, t, None, :] * x[:, t, :, None]
            outputs.append((state * c[:, t, None, :]).sum(-1))
        return self.out_proj((torch.stack(outputs, 1) + self.D * x) * F.silu(z))


class MambaLayer(nn.Module):
    def __init__(self, width, *options):
        super().__init__()
        self.mixer, self.norm = MambaBlock(width, *options), RMSNorm(width)

    def forward(self, x):
        return self.mixer(self.norm(x)) + x


class Mamba(nn.Module):
    def __init__(self, vocabulary, width, layers, states, expansion, kernel):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.mamba = nn.Module()
        self.mamba.layers = nn.ModuleList(MambaLayer(width, states, expansion, kernel) for _ in range(layers))
        self.norm_f, self.linear = RMSNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.embed(tokens)
        for layer in self.mamba.layers:
            x = layer(x)
        return self.linear(self.norm_f(x))


# Layers alone


class SequenceLSTM(nn.LSTM):
    def forward(self, x):
        return super().forward(x)[0]


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, width, heads, causal):
        super().__init__(width, heads, batch_first=True)
        self.causal = causal

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=x.dtype) if self.causal else None
        return super().forward(x, x, x, attn_mask=mask, need_weights=False)[0]


class Residual(nn.Module):
    def __init__(self, body, shortcut, activation):
        super().__init__()
        self.body, self.shortcut, self.activation = layer(*body), layer(*shortcut), act(activation)

    def forward(self, x):
        return self.activation(self.shortcut(x) + self.body(x))


LAYERS = {
    "linear": nn.Linear, "conv2d": nn.Conv2d, "conv1d": nn.Conv1d, "conv_transpose2d": nn.ConvTranspose2d,
    "max_pool": nn.MaxPool2d, "average_pool": nn.AvgPool2d, "batch_norm1d": nn.BatchNorm1d, "batch_norm2d": nn.BatchNorm2d,
    "layer_norm": nn.LayerNorm, "group_norm": nn.GroupNorm, "embedding": nn.Embedding, "lstm": SequenceLSTM,
    "attention": SelfAttention, "activation": act, "flatten": nn.Flatten, "residual": Residual, "identity": nn.Identity,
    "global_average": lambda: Function(lambda x: x.mean((2, 3))),
}


def layer(kind, arguments=(), options=None):
    return LAYERS[kind](*arguments, **(options or {}))


def sequential(layers):
    return nn.Sequential(*(layer(*each) for each in layers))


MODELS = {
    "mlp": MLP, "fc": fc, "deep_linear": deep_linear, "chebyshev": chebyshev, "autoencoder": Autoencoder, "cnn": CNN,
    "convnet": convnet, "central_flows_cnn": central_flows_cnn, "vgg11": VGG, "resnet": ResNet, "cohen_resnet": CohenResNet,
    "central_flows_resnet": CentralFlowsResNet, "wide_resnet": WideResNet, "vit": VIT, "transformer": Transformer,
    "lstm": LSTM, "mamba": Mamba, "sequential": sequential,
}


def check(what, ours, theirs):
    if ours != theirs:
        raise SystemExit(f"{what}:\n  PyTorch has {theirs}\n  eoss has    {ours}")


def answer(path):
    with safe_open(path, "pt") as file:
        given = {key: file.get_tensor(key) for key in file.keys()}
        about = json.loads(file.metadata()["about"])
    net = MODELS[about["model"]](**about["options"]).to(given["target"].dtype).train()
    parameters = list(net.named_parameters())
    check(f"parameters of {about['model']}", about["parameters"], [[name, list(p.shape)] for name, p in parameters])
    buffers = [[name, list(b.shape)] for name, b in net.named_buffers() if not name.endswith("num_batches_tracked")]
    check(f"buffers of {about['model']}", about["buffers"], buffers)
    with torch.no_grad():
        for name, parameter in parameters:
            parameter.copy_(given["parameter " + name])
    weights = [parameter for _, parameter in parameters]
    with sdpa_kernel(SDPBackend.MATH):
        output = net(given["input"].long() if about["tokens"] else given["input"])
        loss = (output - given["target"]).pow(2).flatten(1).sum(1).mean()
        gradient = torch.autograd.grad(loss, weights, create_graph=True)
        along = sum((g * given["direction " + name]).sum() for g, (name, _) in zip(gradient, parameters))
        product = torch.autograd.grad(along, weights, materialize_grads=True)

    def flat(tensors):
        return torch.cat([tensor.detach().reshape(-1) for tensor in tensors]).contiguous()

    result = {"loss": loss.detach().reshape(1), "gradient": flat(gradient), "product": flat(product)}
    result["output"] = output.detach().contiguous()
    save_file(result, path.replace(".in.safetensors", ".out.safetensors"))


if __name__ == "__main__":
    torch.set_num_threads(2)
    for path in sorted(glob.glob(sys.argv[1] + "/*.in.safetensors")):
        answer(path)
