"""The same work as `eoss-bench`, in PyTorch and JAX, for a side-by-side measurement.

Started by `eoss-bench` with PEERS_PYTHON; reads one task a line, `library network task size repetitions`, runs it and answers
with the median seconds of one repetition, or `-` where the library is not installed or does not do the task.
"""

import os
import statistics
import sys
import time

THREADS = os.environ.get("PEERS_THREADS", "2")
os.environ.setdefault("OMP_NUM_THREADS", THREADS)
os.environ.setdefault("MKL_NUM_THREADS", THREADS)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import numpy as np

WIDTHS = (784, 512, 512, 10)
STACK = 32  # batches per call of a batched estimator


def weights(rng):
    parts = []
    for i, o in zip(WIDTHS, WIDTHS[1:]):
        parts.append((0.3 * rng.standard_normal((o, i)) * (2 / i) ** 0.5).astype(np.float32))
        parts.append(np.zeros(o, np.float32))
    return parts


def samples(rng, n, shape=(WIDTHS[0],)):
    x = rng.standard_normal((n, *shape)).astype(np.float32)
    y = np.eye(WIDTHS[-1], dtype=np.float32)[rng.integers(0, WIDTHS[-1], n)]
    return x, y


def clock(call, repetitions):
    now = time.process_time if os.environ.get("BENCH_CLOCK") == "cpu" else time.perf_counter
    call()
    call()
    seconds = []
    for _ in range(repetitions):
        start = now()
        call()
        seconds.append(now() - start)
    return statistics.median(seconds)


def perceptron(torch, rng):
    layers = []
    for i, o in zip(WIDTHS, WIDTHS[1:]):
        layers += [torch.nn.Linear(i, o), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    with torch.no_grad():
        for parameter, values in zip(network.parameters(), weights(rng)):
            parameter.copy_(torch.from_numpy(values))
    return network, (WIDTHS[0],)


def convolutional(torch, rng):
    """The CNN of the EoSS code on CIFAR-sized images: 2.48 M parameters."""
    nn = torch.nn
    network = nn.Sequential(
        nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(128 * 36, 512), nn.ReLU(), nn.Linear(512, 10),
    )
    return network, (3, 32, 32)


def residual(torch, rng):
    """ResNet-20 with batch normalisation: 16, 32, 64 channels, three blocks each, projections by 1×1 convolutions."""
    nn = torch.nn

    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn1, self.bn2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
            self.shortcut = nn.Sequential()
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )

        def forward(self, x):
            y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
            return torch.relu(y + self.shortcut(x))

    blocks, inputs = [], 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(3):
            blocks.append(Block(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    network = nn.Sequential(
        nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), *blocks,
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
    )
    return network, (3, 32, 32)


VOCABULARY, LENGTH = 16, 32


def tokens(rng, n):
    return [rng.integers(0, VOCABULARY, (n, LENGTH)) for _ in range(2)]


def recurrent(torch, rng):
    """Embedding, two LSTM layers of 48, linear."""
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.lstm = nn.Embedding(VOCABULARY, 48), nn.LSTM(48, 48, 2, batch_first=True)
            self.linear = nn.Linear(48, VOCABULARY)

        def forward(self, x):
            return self.linear(self.lstm(self.embed(x))[0])

    return Network(), None


def decoder(torch, rng):
    """Four decoder layers of width 32 with 4 heads, whose memory is the embedded input."""
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.positions = nn.Embedding(VOCABULARY, 32), torch.randn(LENGTH, 32)
            self.layers = nn.ModuleList(
                nn.TransformerDecoderLayer(32, 4, 128, 0.0, "gelu", batch_first=True) for _ in range(4)
            )
            self.mask = nn.Transformer.generate_square_subsequent_mask(LENGTH)
            self.linear = nn.Linear(32, VOCABULARY)

        def forward(self, x):
            y = memory = self.embed(x) * 32**0.5 + self.positions
            for layer in self.layers:
                y = layer(y, memory, tgt_mask=self.mask, tgt_is_causal=True)
            return self.linear(y)

    return Network(), None


def selective(torch, rng):
    """Two Mamba blocks of width 64; the scan is a loop over places, as in the plain implementations."""
    nn, inner, states, rank = torch.nn, 128, 16, 4

    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.into, self.out = nn.Linear(64, 2 * inner, bias=False), nn.Linear(inner, 64, bias=False)
            self.conv = nn.Conv1d(inner, inner, 4, groups=inner, padding=3)
            self.selection = nn.Linear(inner, rank + 2 * states, bias=False)
            self.step = nn.Linear(rank, inner)
            self.logs = nn.Parameter(torch.log(torch.arange(1.0, states + 1)).repeat(inner, 1))
            self.direct = nn.Parameter(torch.ones(inner))

        def forward(self, x):
            x, gate = self.into(x).split(inner, -1)
            x = nn.functional.silu(self.conv(x.transpose(1, 2))[..., :LENGTH].transpose(1, 2))
            step, write, read = self.selection(x).split([rank, states, states], -1)
            delta = nn.functional.softplus(self.step(step))
            decay = torch.exp(delta[..., None] * -torch.exp(self.logs))
            feed = (delta * x)[..., None] * write[:, :, None]
            state, places = torch.zeros_like(feed[:, 0]), []
            for decay, feed in zip(decay.unbind(1), feed.unbind(1)):
                state = decay * state + feed
                places.append(state)
            y = (torch.stack(places, 1) @ read[..., None])[..., 0] + self.direct * x
            return self.out(y * nn.functional.silu(gate))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.mixers = nn.Embedding(VOCABULARY, 64), nn.ModuleList(Mixer() for _ in range(2))
            self.norms = nn.ModuleList(nn.RMSNorm(64) for _ in range(3))
            self.linear = nn.Linear(64, VOCABULARY, bias=False)

        def forward(self, x):
            x = self.embed(x)
            for norm, mixer in zip(self.norms, self.mixers):
                x = x + mixer(norm(x))
            return self.linear(self.norms[2](x))

    return Network(), None


def vision(torch, rng):
    """SimpleViT on patches of 4×4: width 64, four blocks, 8 heads of 64, hidden layers of 256."""
    nn = torch.nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(64)
            self.to_qkv, self.to_out = nn.Linear(64, 3 * 512, bias=False), nn.Linear(512, 64, bias=False)

        def forward(self, x):
            q, k, v = (a.unflatten(-1, (8, 64)).transpose(1, 2) for a in self.to_qkv(self.norm(x)).chunk(3, -1))
            y = nn.functional.scaled_dot_product_attention(q, k, v)
            return self.to_out(y.transpose(1, 2).flatten(2))

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 64), nn.LayerNorm(64))
            self.positions = torch.randn(64, 64)
            self.attention = nn.ModuleList(Attention() for _ in range(4))
            self.feed = nn.ModuleList(
                nn.Sequential(nn.LayerNorm(64), nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64)) for _ in range(4)
            )
            self.norm, self.linear = nn.LayerNorm(64), nn.Linear(64, 10)

        def forward(self, x):
            n = x.shape[0]
            x = x.reshape(n, 3, 8, 4, 8, 4).permute(0, 2, 4, 3, 5, 1).reshape(n, 64, 48)
            x = self.embed(x) + self.positions
            for attention, feed in zip(self.attention, self.feed):
                x = x + attention(x)
                x = x + feed(x)
            return self.linear(self.norm(x).mean(1))

    return Network(), (3, 32, 32)


class Torch:
    """As the reference code of the field works: modules, autograd, double backward for curvature."""

    NETWORKS = {
        "mlp": perceptron, "cnn": convolutional, "resnet20": residual,
        "lstm": recurrent, "transformer": decoder, "mamba": selective, "vit": vision,
    }

    def __init__(self, network):
        import torch

        torch.set_num_threads(int(THREADS))
        torch.manual_seed(0)
        self.torch = torch
        self.rng = np.random.default_rng(0)
        self.network, self.shape = self.NETWORKS[network](torch, self.rng)
        self.p = list(self.network.parameters())

    def data(self, n):
        """Images, or tokens where the network takes no shape."""
        arrays = samples(self.rng, n, self.shape) if self.shape else tokens(self.rng, n)
        return [self.torch.tensor(a) for a in arrays]

    def loss(self, x, y):
        if not self.shape:
            return self.torch.nn.functional.cross_entropy(self.network(x).flatten(0, 1), y.flatten())
        return ((self.network(x) - y) ** 2).sum(1).mean()

    def stepping(self, n, make):
        x, y = self.data(n)
        optimizer = make(self.p)

        def call():
            optimizer.zero_grad()
            self.loss(x, y).backward()
            optimizer.step()

        return call

    def fastest(self, n, make):
        """The best of PyTorch's ways to update: a loop, lists of tensors, one kernel."""
        ways = [self.stepping(n, lambda p, way=way: make(p, **way)) for way in ({}, {"foreach": True}, {"fused": True})]
        return min(ways, key=lambda call: clock(call, 50))

    def step(self, n):
        return self.stepping(n, lambda p: self.torch.optim.SGD(p, lr=1e-6))

    def momentum(self, n):
        return self.fastest(n, lambda p, **way: self.torch.optim.SGD(p, lr=1e-6, momentum=0.9, **way))

    def adam(self, n):
        return self.fastest(n, lambda p, **way: self.torch.optim.Adam(p, lr=1e-6, **way))

    def gradient(self, n):
        x, y = self.data(n)
        return lambda: self.torch.autograd.grad(self.loss(x, y), self.p)

    def hvp(self, n):
        x, y = self.data(n)
        attention = self.torch.nn.attention
        # The fused kernels of attention have no second derivative.
        with attention.sdpa_kernel(attention.SDPBackend.MATH):
            grads = self.torch.autograd.grad(self.loss(x, y), self.p, create_graph=True)
        v = [self.torch.randn_like(w) for w in self.p]
        return lambda: self.torch.autograd.grad(grads, self.p, v, retain_graph=True)

    def sharpness(self, n):
        x, y = self.data(n)

        def call():
            grads = self.torch.autograd.grad(self.loss(x, y), self.p, create_graph=True)
            v = [g.detach() for g in grads]
            products = self.torch.autograd.grad(grads, self.p, v)
            return sum((a * b).sum() for a, b in zip(v, products)) / sum((a * a).sum() for a in v)

        return call


class Jax:
    """Jitted; batch sharpness as the faster of a scan and a map over stacked batches, forward over reverse."""

    def __init__(self, network):
        if network != "mlp":
            raise ImportError("measured for the perceptron alone")
        import jax
        import jax.numpy as jnp

        self.jax, self.np = jax, jnp
        self.rng = np.random.default_rng(0)
        self.p = [jnp.asarray(w) for w in weights(self.rng)]

    def data(self, n):
        return [self.np.asarray(a) for a in samples(self.rng, n)]

    def loss(self, p, x, y):
        for i in range(0, len(p), 2):
            x = x @ p[i].T + p[i + 1]
            if i < len(p) - 2:
                x = self.jax.nn.relu(x)
        return ((x - y) ** 2).sum(1).mean()

    def stepping(self, n, update, states):
        """Steps of parameters and so many state vectors beside each, in donated memory, in one program."""
        x, y = self.data(n)

        def step(state):
            gradients = self.jax.grad(self.loss)([s[0] for s in state], x, y)
            return [update(*s, g) for s, g in zip(state, gradients)]

        jitted = self.jax.jit(step, donate_argnums=0)
        state = [(self.np.array(w),) + tuple(self.np.zeros_like(w) for _ in range(states)) for w in self.p]

        def call():
            nonlocal state
            state = self.jax.block_until_ready(jitted(state))

        return call

    def step(self, n):
        return self.stepping(n, lambda w, g: (w - 1e-6 * g,), 0)

    def momentum(self, n):
        def update(w, v, g):
            v = 0.9 * v + g
            return w - 1e-6 * v, v

        return self.stepping(n, update, 1)

    def adam(self, n):
        """At a fixed number of steps: the corrections of the bias are constants."""

        def update(w, m, s, g):
            m, s = m + 0.1 * (g - m), 0.999 * s + 0.001 * g * g
            return w - 1e-6 * m / (self.np.sqrt(s) + 1e-8), m, s

        return self.stepping(n, update, 2)

    def gradient(self, n):
        x, y = self.data(n)
        jitted = self.jax.jit(self.jax.grad(self.loss))
        return lambda: self.jax.block_until_ready(jitted(self.p, x, y))

    def hvp(self, n):
        x, y = self.data(n)
        v = [self.np.asarray(self.rng.standard_normal(w.shape), self.np.float32) for w in self.p]
        _, linear = self.jax.linearize(lambda p: self.jax.grad(self.loss)(p, x, y), self.p)
        jitted = self.jax.jit(linear)
        return lambda: self.jax.block_until_ready(jitted(v))

    def block(self, n):
        """Eight products at a fixed point, mapped."""
        x, y = self.data(n)
        v = [self.np.asarray(self.rng.standard_normal((8, *w.shape)), self.np.float32) for w in self.p]
        _, linear = self.jax.linearize(lambda p: self.jax.grad(self.loss)(p, x, y), self.p)
        jitted = self.jax.jit(self.jax.vmap(linear))
        return lambda: self.jax.block_until_ready(jitted(v))

    def sharpness(self, n):
        jax, jnp = self.jax, self.np
        x, y = self.data(n * STACK)
        x, y = x.reshape(STACK, n, -1), y.reshape(STACK, n, -1)

        def one(batch):
            value, product = jax.jvp(
                lambda p: jax.grad(self.loss)(p, *batch), (self.p,), (jax.grad(self.loss)(self.p, *batch),)
            )
            return sum((a * b).sum() for a, b in zip(value, product)) / sum((a * a).sum() for a in value)

        scanned = jax.jit(lambda x, y: jax.lax.map(one, (x, y)))
        mapped = jax.jit(lambda x, y: jax.vmap(lambda a, b: one((a, b)))(x, y))
        best = min(
            (scanned, mapped), key=lambda f: clock(lambda: jax.block_until_ready(f(x, y)), 3)
        )
        return lambda: jax.block_until_ready(best(x, y))


def main():
    libraries, calls = {}, {}
    for line in sys.stdin:
        library, network, task, size, repetitions = line.split()
        key = (library, network, task, size)
        try:
            if key not in calls:
                if (library, network) not in libraries:
                    libraries[library, network] = {"torch": Torch, "jax": Jax}[library](network)
                for other in [k for k in calls if k[0] == library]:
                    del calls[other]  # kept graphs of double backward are large
                calls[key] = getattr(libraries[library, network], task)(int(size))
            seconds = clock(calls[key], int(repetitions))
            if library == "jax" and task == "sharpness":
                seconds /= STACK
            print(seconds, flush=True)
        except ImportError:
            print("-", flush=True)


if __name__ == "__main__":
    main()
