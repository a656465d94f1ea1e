"""Golden values for packages/vision/src/detection: torchvision's operations on boxes, and its SSD-lite with the same weights: answers, what is made of
them, losses and one step of training.

Run: /usr/bin/python3 scripts/golden/detection.py (needs torchvision). Writes packages/vision/fixtures/detection.json. Weights are those of
architectures.py, computed by both sides.
"""

import json
import os
import sys

import torch
import torchvision
from torchvision import ops
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.models.detection import _utils as utils
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from weights_by_name import fill, noise, signature  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
torch.set_num_threads(2)
short = lambda t: [float('%.7g' % v) for v in t.reshape(-1).tolist()]


def boxes_of(name, count, side):
    """Boxes with at least two pixels each way, in quarters of a pixel."""
    r = torch.from_numpy(noise(name, 4 * count) + 0.5).reshape(count, 4)
    corner = torch.round(r[:, :2] * side * 2.8) / 4
    size = 2 + torch.round(r[:, 2:] * side * 1.2) / 4
    return torch.cat([corner, corner + size], 1)


a, b = boxes_of('a', 7, 40), boxes_of('b', 5, 40)
pairs = {'boxIou': ops.box_iou, 'generalizedBoxIou': ops.generalized_box_iou, 'distanceBoxIou': ops.distance_box_iou, 'completeBoxIou': ops.complete_box_iou}
losses = {'generalizedBoxIouLoss': ops.generalized_box_iou_loss, 'distanceBoxIouLoss': ops.distance_box_iou_loss, 'completeBoxIouLoss': ops.complete_box_iou_loss}


def loss_case(f):
    x = a[:5].clone().requires_grad_(True)
    value = f(x, b)
    value.sum().backward()
    return {'loss': short(value.detach()), 'gradient': short(x.grad)}


many = boxes_of('many', 120, 60)
scores = torch.from_numpy(noise('scores', 120) + 0.5)
labels = torch.arange(120) * 7 % 4
coder = utils.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0))
masks = torch.from_numpy(noise('masks', 3 * 9 * 11)).reshape(3, 9, 11) > 0.42


def default(maps, size, **options):
    generator = DefaultBoxGenerator(**options)
    features = [torch.zeros(1, 1, h, w) for h, w in maps]
    return short(generator(ImageList(torch.zeros(1, 3, *size), [size]), features)[0])


maps = [(3, 4), (1, 2)]
anchors = boxes_of('anchors', 60, 50)
truth = boxes_of('truth', 6, 50)
operations = {
    'a': short(a), 'b': short(b),
    'convert': {f'{f} {t}': short(ops.box_convert(ops.box_convert(a, 'xyxy', f), f, t)) for f in ('xyxy', 'xywh', 'cxcywh') for t in ('xyxy', 'xywh', 'cxcywh')},
    'area': short(ops.box_area(a)), 'clipped': short(ops.clip_boxes_to_image(a, (20, 15))),
    'pairs': {name: short(f(a, b)) for name, f in pairs.items()},
    'losses': {name: loss_case(f) for name, f in losses.items()},
    'masks': [int(v) for v in masks.reshape(-1).tolist()], 'maskBoxes': short(ops.masks_to_boxes(masks)),
    'codes': short(coder.encode_single(a[:5], b)), 'decoded': short(coder.decode_single(torch.from_numpy(noise('codes', 20) * 30).reshape(5, 4), b)),
    'nms': {'boxes': short(many), 'scores': short(scores), 'labels': labels.tolist(),
            'one': {t: ops.nms(many, scores, float(t)).tolist() for t in ('0', '0.3', '0.7')},
            'batched': ops.batched_nms(many, scores, labels, 0.3).tolist()},
    'defaults': {
        'ramp': default(maps, (30, 40), aspect_ratios=[[2, 3], [2]], min_ratio=0.2, max_ratio=0.95),
        'steps': default(maps, (30, 40), aspect_ratios=[[2], []], scales=[0.3, 0.6, 1.2], steps=[9, 20]),
        'unclipped': default(maps, (30, 40), aspect_ratios=[[3], [2]], scales=[0.7, 0.9, 1.05], clip=False),
    },
    'matching': {'anchors': short(anchors), 'truth': short(truth), 'matches': utils.SSDMatcher(0.5)(ops.box_iou(truth, anchors)).tolist()},
}

classes = 6
model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=classes)
fill(model)
names = signature(model)
full = signature(ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None))
# milder than these weights make it, so that scores of neighbours differ
with torch.no_grad():
    for head in model.head.classification_head.module_list:
        head[1].weight *= 0.25
        head[1].bias[::classes] += 2
    for head in model.head.regression_head.module_list:
        head[1].weight *= 0.25
model = model.double()
picture = lambda name, h, w: torch.round((torch.from_numpy(noise(name, 3 * h * w)) + 0.5).reshape(3, h, w) * 255) / 255
images = [picture('first', 320, 320), picture('second', 150, 210)]
model.eval()
with torch.no_grad():
    x, _ = model.transform(images)
    answers = model.head(list(model.backbone(x.tensors).values()))
    found = model(images)
    single = model.float()([i.float() for i in images])
    model.double()
for one, other in zip(found, single):
    # the first that are compared must not hang on the last digits of the scores
    assert one['labels'][:50].tolist() == other['labels'][:50].tolist(), 'choose other weights'
pick = lambda t: short(t.reshape(-1)[:: max(1, t.numel() // 300)])
found = [{'boxes': short(f['boxes'][:50]), 'labels': f['labels'][:50].tolist(), 'scores': short(f['scores'][:50]), 'count': len(f['labels'])} for f in found]
print([f['count'] for f in found], file=sys.stderr)

model.train()
targets = [{'boxes': torch.tensor([[30.0, 40, 200, 260], [100, 20, 180, 90], [250, 250, 310, 318]]).double(), 'labels': torch.tensor([1, 3, 5])},
           {'boxes': torch.tensor([[20.0, 20, 120, 140]]).double(), 'labels': torch.tensor([2])}]
pictures = [images[0], picture('third', 320, 320)]
before = {k: p.detach().clone() for k, p in model.named_parameters()}
costs = model(pictures, targets)
sum(costs.values()).backward()
rate = float('%.3g' % (0.1 / max(p.grad.abs().max().item() for p in model.parameters())))
every = list(before)
steps = {}
for key in sorted(set(every[round(k * (len(every) - 1) / 11)] for k in range(12))):
    moved = -rate * dict(model.named_parameters())[key].grad.reshape(-1)
    cot = ((7 * torch.arange(moved.numel())) % 11 - 5).double() / 8
    steps[key] = [float('%.7g' % moved.norm().item()), float('%.7g' % (moved * cot).sum().item())]
detector = {'classes': classes, 'signature': names, 'full': full, 'logits': pick(answers['cls_logits']), 'codes': pick(answers['bbox_regression']), 'found': found,
            'targets': [{'corners': short(t['boxes']), 'labels': t['labels'].tolist()} for t in targets],
            'losses': {'classification': float('%.8g' % costs['classification'].item()), 'regression': float('%.8g' % costs['bbox_regression'].item())},
            'rate': rate, 'steps': steps}

path = 'packages/vision/fixtures/detection.json'
with open(os.path.join(ROOT, path), 'w') as file:
    json.dump({'source': f'torchvision {torchvision.__version__.split("a")[0]}', 'operations': operations, 'detector': detector}, file, separators=(',', ':'))
    file.write('\n')
print(path, os.path.getsize(os.path.join(ROOT, path)))
