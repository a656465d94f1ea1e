"""Writes packages/distributed/fixtures/ddp.json: PyTorch's DistributedDataParallel over gloo, two processes, five steps.

/usr/bin/python3 scripts/golden/distributed.py
"""
import json, math, os, sys
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

def wave(length, start):
    return torch.tensor([math.sin(0.7 * at + start) for at in range(length)], dtype=torch.float32)

def run(rank, results):
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT='29731')
    dist.init_process_group('gloo', rank=rank, world_size=2)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    with torch.no_grad():
        for at, parameter in enumerate(model.parameters()):
            parameter.copy_(wave(parameter.numel(), at).reshape(parameter.shape) / 2)
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.Adam(parallel.parameters(), lr=0.05)
    losses = []
    for step in range(5):
        x = wave(32, step).reshape(8, 4)[4 * rank:4 * rank + 4]
        y = wave(24, step + 0.5).reshape(8, 3)[4 * rank:4 * rank + 4]
        optimizer.zero_grad()
        loss = (parallel(x) - y).square().mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parallel.parameters(), 0.5)
        optimizer.step()
        total = loss.detach().clone()
        dist.all_reduce(total)
        losses.append(total.item() / 2)
    if rank == 0:
        results['losses'] = losses
        results['parameters'] = [p.detach().flatten().tolist() for p in model.parameters()]
    dist.destroy_process_group()

if __name__ == '__main__':
    with mp.Manager() as manager:
        results = manager.dict()
        mp.spawn(run, args=(results,), nprocs=2)
        here = os.path.dirname(os.path.abspath(__file__))
        path = os.path.join(here, '../../packages/distributed/fixtures/ddp.json')
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w') as file:
            json.dump({'torch': torch.__version__, **results}, file)
            file.write('\n')
