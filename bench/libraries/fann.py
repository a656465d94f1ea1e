"""FANN as a library of the benchmark, for the 2-4-1 step alone: Debian's libfann2 (of libfann-dev), called through ctypes.

Speaks the protocol of harness/worker.mjs, as pytorch.py does. FANN's batch training is gradient descent on the sum of squares,
so twice the learning rate is a step on their mean; its tanh has steepness 1 here, as everywhere else. What is counted is
`fann_train_on_data`, which repeats epochs of one batch in C: a step costs no call from Python.
"""

import ctypes
import ctypes.util
import json
import sys
import time

GOLDEN = 0x9E3779B1
WORD = 0xFFFFFFFF


def library():
    for name in ("libfloatfann.so.2", ctypes.util.find_library("floatfann") or ""):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError("libfloatfann was not found: apt install libfann-dev")


fann = library()

VOID, UINT, FLOAT = ctypes.c_void_p, ctypes.c_uint, ctypes.c_float
FLOATS = ctypes.POINTER(FLOAT)
FILL = ctypes.CFUNCTYPE(None, UINT, UINT, UINT, FLOATS, FLOATS)
for name, result, arguments in (
    ("fann_create_standard_array", VOID, [UINT, ctypes.POINTER(UINT)]),
    ("fann_set_activation_function_hidden", None, [VOID, ctypes.c_int]),
    ("fann_set_activation_function_output", None, [VOID, ctypes.c_int]),
    ("fann_set_activation_steepness_hidden", None, [VOID, FLOAT]),
    ("fann_set_activation_steepness_output", None, [VOID, FLOAT]),
    ("fann_set_training_algorithm", None, [VOID, ctypes.c_int]),
    ("fann_set_train_error_function", None, [VOID, ctypes.c_int]),
    ("fann_set_learning_rate", None, [VOID, FLOAT]),
    ("fann_set_weight", None, [VOID, UINT, UINT, FLOAT]),
    ("fann_create_train_from_callback", VOID, [UINT, UINT, UINT, FILL]),
    ("fann_train_epoch", FLOAT, [VOID, VOID]),
    ("fann_train_on_data", None, [VOID, VOID, UINT, UINT, FLOAT]),
    ("fann_destroy", None, [VOID]),
    ("fann_destroy_train", None, [VOID]),
):
    function = getattr(fann, name)
    function.restype, function.argtypes = result, arguments

# fann_data.h
LINEAR, TANH = 0, 5
BATCH = 1
ERROR_LINEAR = 0


def uniform(seed, length, bound=1.0):
    """The numbers of workloads/numbers.mjs."""
    found = []
    for i in range(length):
        h = (seed * GOLDEN + i) & WORD
        h = ((h ^ (h >> 16)) * 0x85EBCA6B) & WORD
        h = ((h ^ (h >> 13)) * 0xC2B2AE35) & WORD
        found.append((((h ^ (h >> 16)) >> 8) * 2.0**-23 - 1) * bound)
    return found


class Training:
    def __init__(self, spec):
        sizes = [given["shape"][1] for given in spec["parameters"][0::2]] + [spec["target"]["shape"][1]]
        self.network = fann.fann_create_standard_array(len(sizes), (UINT * len(sizes))(*sizes))
        fann.fann_set_activation_function_hidden(self.network, TANH)
        fann.fann_set_activation_function_output(self.network, LINEAR)
        fann.fann_set_activation_steepness_hidden(self.network, 1)
        fann.fann_set_activation_steepness_output(self.network, 1)
        fann.fann_set_training_algorithm(self.network, BATCH)
        fann.fann_set_train_error_function(self.network, ERROR_LINEAR)
        fann.fann_set_learning_rate(self.network, 2 * spec["learningRate"])
        # neurons are numbered layer by layer, the last of each layer gives the bias
        start = 0
        for layer, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            weight, bias = spec["parameters"][2 * layer : 2 * layer + 2]
            weights = uniform(3 + 2 * layer, inputs * outputs, weight["bound"])
            biases = uniform(4 + 2 * layer, outputs, bias["bound"])
            after = start + inputs + 1
            for k in range(outputs):
                for i in range(inputs):
                    fann.fann_set_weight(self.network, start + i, after + k, weights[k * inputs + i])
                fann.fann_set_weight(self.network, start + inputs, after + k, biases[k])
            start = after
        count, width, height = spec["input"]["shape"][0], sizes[0], sizes[-1]
        inputs, targets = uniform(1, count * width), uniform(2, count * height)

        @FILL
        def fill(at, _inputs, _outputs, row, wanted):
            for k in range(width):
                row[k] = inputs[at * width + k]
            for k in range(height):
                wanted[k] = targets[at * height + k]

        self.data = fann.fann_create_train_from_callback(count, width, height, fill)

    def step(self):
        """The mean squared error before the step."""
        return fann.fann_train_epoch(self.network, self.data)

    def run(self, count):
        # no error is below -1, so all epochs are run; none is reported
        fann.fann_train_on_data(self.network, self.data, count, 0, -1)

    def release(self):
        fann.fann_destroy(self.network)
        fann.fann_destroy_train(self.data)


def peak_memory():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def serve():
    current = None
    for line in sys.stdin:
        request = json.loads(line)
        action = request["action"]
        try:
            answer = {}
            if action == "start":
                answer = {"version": "2.2", "detail": "libfloatfann, 1 thread, batch training"}
            elif action == "prepare":
                current = Training(request["spec"])
                begin = time.perf_counter()
                losses = [current.step()]
                answer["first"] = (time.perf_counter() - begin) * 1e3
                losses += [current.step() for _ in range(request["steps"] - 1)]
                answer["result"] = {"losses": losses}
            elif action == "measure":
                begin = time.perf_counter()
                current.run(request["count"])
                answer = {"milliseconds": (time.perf_counter() - begin) * 1e3}
            elif action == "release":
                if current is not None:
                    current.release()
                current = None
            elif action == "memory":
                answer = {"peak": peak_memory()}
            reply = {"id": request["id"], "answer": answer}
        except Exception as error:  # the parent decides what to do with it
            reply = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), flush=True)


serve()
