"""PyTorch as a library of the benchmark, and as the reference: `python3 pytorch.py --reference > fixtures/reference.json`.

Speaks the protocol of harness/worker.mjs: one JSON line a request on stdin, one a reply on stdout.
The specifications of the models come with the requests, so that they exist once, in workloads/models.mjs:
`node -p "JSON.stringify((await import('./workloads/models.mjs')).models)"` writes them for `--reference`.
"""

import json
import os
import sys
import time

import numpy
import torch
import torch.nn.functional as F
from torch import nn

GOLDEN = 0x9E3779B1


def mix(seed, length):
    h = numpy.arange(length, dtype=numpy.uint32) + numpy.uint32((seed * GOLDEN) & 0xFFFFFFFF)
    h = (h ^ (h >> numpy.uint32(16))) * numpy.uint32(0x85EBCA6B)
    h = (h ^ (h >> numpy.uint32(13))) * numpy.uint32(0xC2B2AE35)
    return (h ^ (h >> numpy.uint32(16))) >> numpy.uint32(8)


def uniform(seed, length, bound=1.0):
    return ((mix(seed, length).astype(numpy.float64) * 2.0**-23 - 1) * bound).astype(numpy.float32)


def values(seed, field):
    length = int(numpy.prod(field["shape"]))
    if "below" in field:
        found = (mix(seed, length) % numpy.uint32(field["below"])).astype(numpy.int64)
    else:
        found = uniform(seed, length)
    return torch.from_numpy(found.reshape(field["shape"]))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(32, 128, batch_first=True)
        self.head = nn.Linear(128, 10)

    def forward(self, x):
        output, _ = self.lstm(x)
        return self.head(output[:, -1])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(128, 128)
        self.position = nn.Parameter(torch.zeros(64, 128))
        layer = nn.TransformerEncoderLayer(128, 4, dim_feedforward=512, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(128, 128)

    def forward(self, tokens):
        return self.head(self.encoder(self.embedding(tokens) + self.position))


class Residual(nn.Module):
    def __init__(self, start, end):
        super().__init__()
        stride = 1 if start == end else 2
        self.conv1 = nn.Conv2d(start, end, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(end)
        self.conv2 = nn.Conv2d(end, end, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(end)
        self.downsample = None
        if start != end:
            self.downsample = nn.Sequential(nn.Conv2d(start, end, 1, stride, bias=False), nn.BatchNorm2d(end))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        for stage, (start, end) in enumerate(((64, 64), (64, 128), (128, 256), (256, 512)), 1):
            setattr(self, f"layer{stage}", nn.Sequential(Residual(start, end), Residual(end, end)))
        self.fc = nn.Linear(512, 10)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            y = stage(y)
        return self.fc(y.mean((2, 3)))


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(512, 256)
        self.position = nn.Parameter(torch.zeros(128, 256))
        layer = nn.TransformerEncoderLayer(
            256, 4, dim_feedforward=1024, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 4)
        self.norm = nn.LayerNorm(256)
        self.head = nn.Linear(256, 512)

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position
        hidden = torch.full((128, 128), float("-inf"), dtype=x.dtype).triu(1)
        return self.head(self.norm(self.encoder(x, hidden)))


class Generation:
    """Token by token, with the keys and values of those before kept by hand."""

    def __init__(self, spec, double=False):
        self.model = build(spec, double).eval()
        self.capacity = spec["input"]["shape"][1]
        kind = torch.float64 if double else torch.float32
        self.caches = [
            (torch.zeros(4, self.capacity, 64, dtype=kind), torch.zeros(4, self.capacity, 64, dtype=kind))
            for _ in self.model.encoder.layers
        ]
        self.prompt = (mix(99, 16) % numpy.uint32(spec["input"]["below"])).tolist()
        self.length, self.last = 0, 0

    def next(self, token):
        model, at = self.model, self.length
        x = model.embedding.weight[token] + model.position[at]
        for layer, (keys, values) in zip(model.encoder.layers, self.caches):
            attention = layer.self_attn
            projected = F.linear(layer.norm1(x), attention.in_proj_weight, attention.in_proj_bias)
            query, key, value = projected.view(3, 4, 64).unbind()
            keys[:, at], values[:, at] = key, value
            scores = torch.bmm(keys[:, : at + 1], query.unsqueeze(2)).squeeze(2) / 8
            mixed = torch.bmm(torch.softmax(scores, 1).unsqueeze(1), values[:, : at + 1])
            x = x + attention.out_proj(mixed.reshape(256))
            x = x + layer.linear2(F.gelu(layer.linear1(layer.norm2(x))))
        self.length += 1
        return model.head(model.norm(x))

    def result(self):
        self.length = 0
        with torch.inference_mode():
            for token in self.prompt:
                logits = self.next(token)
        self.length = 0
        return logits.numpy()

    def run(self, count):
        with torch.inference_mode():
            for _ in range(count):
                if self.length == self.capacity:
                    self.length = 0
                self.last = int(self.next(self.last).argmax())


def pair(start, end):
    return nn.Sequential(nn.Conv2d(start, end, 3, 1, 1), nn.ReLU(), nn.Conv2d(end, end, 3, 1, 1), nn.ReLU())


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.middle = pair(1, 16), pair(16, 32), pair(32, 64)
        self.up2, self.join2 = nn.ConvTranspose2d(64, 32, 2, 2), pair(64, 32)
        self.up1, self.join1 = nn.ConvTranspose2d(32, 16, 2, 2), pair(32, 16)
        self.out = nn.Conv2d(16, 1, 1)

    def forward(self, x):
        first = self.down1(x)
        second = self.down2(F.max_pool2d(first, 2))
        up = self.join2(torch.cat([self.up2(self.middle(F.max_pool2d(second, 2))), second], 1))
        return self.out(self.join1(torch.cat([self.up1(up), first], 1)))


def build(spec, double=False):
    relu = (lambda: nn.LeakyReLU(spec["slope"])) if "slope" in spec else nn.ReLU
    model = {
        "mlp": lambda: nn.Sequential(
            nn.Linear(784, 512), relu(), nn.Linear(512, 256), relu(), nn.Linear(256, 10)
        ),
        "cnn": lambda: nn.Sequential(
            nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10),
        ),
        "lstm": Recurrent,
        "transformer": Encoder,
        "small": lambda: nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1)),
        "odd": lambda: nn.Sequential(
            nn.Linear(211, 353), nn.ReLU(), nn.Linear(353, 97), nn.ReLU(), nn.Linear(97, 13)
        ),
        "resnet": ResNet,
        "gpt": Gpt,
        "unet": UNet,
    }[spec["name"]]()
    state = {}
    for k, given in enumerate(spec["parameters"]):
        length = int(numpy.prod(given["shape"]))
        array = numpy.full(length, given["fill"], numpy.float32) if "fill" in given else uniform(3 + k, length, given["bound"])
        state[given["name"]] = torch.from_numpy(array.reshape(given["shape"]))
    # running statistics start as they are made
    missing, unexpected = model.load_state_dict(state, strict=False)
    wrong = [name for name in missing if "running" not in name and "tracked" not in name] + unexpected
    if wrong:
        raise ValueError(f"{spec['name']}: {wrong}")
    return model.double() if double else model


def loss_of(spec, model, x, target):
    output = model(x)
    if spec["classes"] == 0:
        return F.mse_loss(output, target)
    return F.cross_entropy(output.reshape(-1, spec["classes"]), target.reshape(-1))


def optimizer_of(spec, model):
    rate = spec["learningRate"]
    if spec["optimizer"] == "adam":
        return torch.optim.Adam(model.parameters(), lr=rate)
    return torch.optim.SGD(model.parameters(), lr=rate)


def trainer(spec, double=False, optimizer=None):
    model = build(spec, double)
    kind = torch.float64 if double else torch.float32
    x, target = (values(seed, spec[name]) for seed, name in ((1, "input"), (2, "target")))
    x, target = (t.to(kind) if t.is_floating_point() else t for t in (x, target))
    optimizer = (optimizer or optimizer_of)(spec, model)

    def step():
        optimizer.zero_grad()
        loss = loss_of(spec, model, x, target)
        loss.backward()
        optimizer.step()
        return loss

    return step


def inference_input(spec, batch):
    shape = [batch] + spec["input"]["shape"][1:]
    return uniform(99, int(numpy.prod(shape))).reshape(shape)


class Prepared:
    def __init__(self, workload, spec, places):
        self.places = places
        kind, size = workload["kind"], workload["size"]
        self.step = None
        self.generation = None
        if kind == "generate":
            self.generation = Generation(spec)
            self.once = self.generation.result
            return
        if kind == "train":
            self.step = trainer(spec)
            return
        if kind == "infer":
            model = build(spec)
            x = inference_input(spec, workload["batch"])

            def infer():
                with torch.inference_mode():
                    return model(torch.from_numpy(x)).numpy()

            self.once = infer
            return

        def array(seed, shape):
            return torch.from_numpy(uniform(seed, int(numpy.prod(shape))).reshape(shape))

        if kind == "matmul":
            a, b = array(11, [size, size]), array(12, [size, size])
            self.once = lambda: a @ b
        elif kind == "chain":
            a, b, c, d = (array(seed, [size]) for seed in (11, 12, 13, 14))
            self.once = lambda: torch.tanh(a * b + c) * torch.sigmoid(d)
        elif kind == "rowSum":
            a = array(11, [size, size])
            self.once = lambda: a.sum(1)
        else:
            a = array(11, [size, size])
            self.once = lambda: torch.softmax(a, 1)

    def result(self):
        found = self.once()
        if isinstance(found, numpy.ndarray):
            return {"values": found.reshape(-1).tolist()}
        flat = found.reshape(-1).numpy()
        return {
            "length": flat.size,
            "sum": float(flat.sum(dtype=numpy.float64)),
            "samples": flat[self.places].astype(numpy.float64).tolist(),
        }

    def run(self, count):
        if self.generation is not None:
            self.generation.run(count)
            return
        once = self.step or self.once
        for _ in range(count):
            once()


def blas():
    """The file of the BLAS that products run on: without OpenBLAS or MKL they are 50 times slower."""
    torch.ones(8, 8) @ torch.ones(8, 8)
    with open("/proc/self/maps") as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if "blas" in line}
    return ", ".join(sorted(os.path.basename(file) for file in files)) or "built in"


def peak_memory():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def serve(options):
    torch.set_num_threads(options.get("threads", 1))
    current = None
    for line in sys.stdin:
        request = json.loads(line)
        action = request["action"]
        try:
            answer = {}
            if action == "start":
                answer = {"version": torch.__version__, "detail": f"{torch.get_num_threads()} thread(s), BLAS {blas()}"}
            elif action == "prepare":
                current = Prepared(request["workload"], request.get("spec"), request.get("places"))
                begin = time.perf_counter()
                if current.step is None:
                    answer["result"] = current.result()
                    answer["first"] = (time.perf_counter() - begin) * 1e3
                else:
                    losses = [current.step().item()]
                    answer["first"] = (time.perf_counter() - begin) * 1e3
                    losses += [current.step().item() for _ in range(request["steps"] - 1)]
                    answer["result"] = {"losses": losses}
            elif action == "measure":
                begin = time.perf_counter()
                current.run(request["count"])
                answer = {"milliseconds": (time.perf_counter() - begin) * 1e3}
            elif action == "release":
                current = None
            elif action == "memory":
                answer = {"peak": peak_memory()}
            reply = {"id": request["id"], "answer": answer}
        except Exception as error:  # the parent decides what to do with it
            reply = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


class UncorrectedAdam(torch.optim.Optimizer):
    """Adam as js-pytorch has it: betas 0.9 and 0.99, epsilon 1e-9, no correction of the moments."""

    def __init__(self, parameters, lr):
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for p in self.param_groups[0]["params"]:
            state = self.state[p]
            m = state["m"] = 0.9 * state.get("m", 0) + 0.1 * p.grad
            v = state["v"] = 0.99 * state.get("v", 0) + 0.01 * p.grad**2
            p -= self.param_groups[0]["lr"] * m / (v.sqrt() + 1e-9)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def online(spec, epochs, rate=0.1, momentum=0.1):
    """brain.js: sigmoid in every layer, a step after each sample, momentum for weights but not for biases.

    The error of an epoch is the mean over its samples of the squared error before their step.
    """
    arrays = [
        uniform(3 + k, int(numpy.prod(p["shape"])), p["bound"]).reshape(p["shape"]).astype(numpy.float64)
        for k, p in enumerate(spec["parameters"])
    ]
    weights, biases = arrays[0::2], arrays[1::2]
    changes = [numpy.zeros_like(w) for w in weights]
    inputs = values(1, spec["input"]).numpy().astype(numpy.float64)
    target = values(2, spec["target"]).numpy()
    wanted = numpy.eye(spec["classes"])[target] if spec["classes"] else target.astype(numpy.float64) / 2 + 0.5

    def forward(x):
        outputs = [x]
        for w, b in zip(weights, biases):
            outputs.append(sigmoid(w @ outputs[-1] + b))
        return outputs

    logits = []
    if spec["name"] == "mlp":
        logits = [round(v, 8) for x in inference_input(spec, 64) for v in forward(x.astype(numpy.float64))[-1].tolist()]
    errors = []
    for _ in range(epochs):
        total = 0.0
        for x, y in zip(inputs, wanted):
            outputs = forward(x)
            error = y - outputs[-1]
            total += float((error**2).mean())
            for k in reversed(range(len(weights))):
                delta = error * outputs[k + 1] * (1 - outputs[k + 1])
                error = weights[k].T @ delta
                changes[k] = rate * numpy.outer(delta, outputs[k]) + momentum * changes[k]
                weights[k] += changes[k]
                biases[k] += rate * delta
        errors.append(round(total / len(inputs), 10))
    return errors, logits


def whole_context(spec):
    """The last logits of the prompt, by the model as PyTorch has it: all tokens at once."""
    model = build(spec, double=True).eval()
    prompt = torch.from_numpy((mix(99, 16) % numpy.uint32(spec["input"]["below"])).astype(numpy.int64))
    padded = torch.zeros(1, 128, dtype=torch.int64)
    padded[0, :16] = prompt
    with torch.no_grad():
        return model(padded)[0, 15].tolist()


def reference(specs):
    losses, logits = {}, {}
    for name, spec in specs.items():
        step = trainer(spec, double=True)
        losses[name] = [round(step().item(), 10) for _ in range(6)]
        if name in ("mlp", "cnn"):
            model = build(spec, double=True)
            with torch.no_grad():
                output = model(torch.from_numpy(inference_input(spec, 64)).double())
            logits[name] = [round(v, 8) for v in output.reshape(-1).tolist()]
    logits["gpt-token"] = [round(v, 8) for v in whole_context(specs["gpt"])]
    # js-pytorch: its relu has a slope of 0.001 below 0, and its Adam is UncorrectedAdam.
    spec = {**specs["mlp"], "slope": 0.001}
    step = trainer(spec, True, lambda spec, model: UncorrectedAdam(model.parameters(), spec["learningRate"]))
    losses["mlp-leaky"] = [round(step().item(), 10) for _ in range(6)]
    with torch.no_grad():
        output = build(spec, double=True)(torch.from_numpy(inference_input(spec, 64)).double())
    logits["mlp-leaky"] = [round(v, 8) for v in output.reshape(-1).tolist()]
    losses["small-online"], _ = online(specs["small"], 6)
    losses["mlp-online"], logits["mlp-online"] = online(specs["mlp"], 6)
    print(json.dumps({"madeBy": f"PyTorch {torch.__version__} in double precision", "losses": losses, "logits": logits}))


if sys.argv[1] == "--reference":
    reference(json.load(sys.stdin))
else:
    serve(json.loads(sys.argv[1]))
