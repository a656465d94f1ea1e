"""Golden values for the tokenizers of @nn/text: merges by counting anew after each merge, cuts by SentencePiece.

Run: /usr/bin/python3 scripts/golden/tokenizers.py (needs python3-sentencepiece). Writes packages/text/fixtures/tokenizers.json.
The text is our own: decision records as they were when the script ran last.
"""

import glob
import io
import json
import os
import re
from collections import Counter

import sentencepiece

from common import ROOT

text = ''
for path in sorted(glob.glob(os.path.join(ROOT, 'docs', 'decisions', '00*.md')))[:6]:
    text += open(path, encoding='utf-8').read() + '\n'
text = text.encode('ascii', 'ignore').decode()
text = re.sub(r'[^A-Za-z0-9 .,:;()\n-]', '', text)[:24000]
lines = [line for line in text.split('\n') if line.strip()]

WORD = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")


def merges(words, tokens, count, join):
    """The textbook algorithm: count all pairs, merge the most frequent (ties: smaller ids), again."""
    tokens, learned = list(tokens), []
    ids = {token: i for i, token in enumerate(tokens)}
    words = [([ids[s] for s in symbols], n) for symbols, n in words]
    for _ in range(count):
        pairs = Counter()
        for symbols, n in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += n
        (left, right), most = min(pairs.items(), key=lambda item: (-item[1], item[0]))
        if most < 2:
            break
        token = join(tokens[left], tokens[right])
        if token not in ids:
            ids[token] = len(tokens)
            tokens.append(token)
        learned.append([tokens[left], tokens[right]])
        for symbols, _n in words:
            i = 0
            while i + 1 < len(symbols):
                if symbols[i] == left and symbols[i + 1] == right:
                    symbols[i:i + 2] = [ids[token]]
                i += 1
    return tokens, learned


def byte_alphabet():
    prints = [b for b in range(256) if 33 <= b <= 126 or (b >= 161 and b != 173)]
    other = iter(range(256, 512))
    return [chr(b) if b in prints else chr(next(other)) for b in range(256)]


alphabet = byte_alphabet()
counts = Counter(word for line in lines for word in WORD.findall(line))
byte_words = [([alphabet[b] for b in word.encode()], n) for word, n in counts.items()]
bpe_tokens, bpe_merges = merges(byte_words, sorted(alphabet), 300, lambda a, b: a + b)

counts = Counter(word for line in lines for word in re.findall(r'[A-Za-z0-9]+|[^\sA-Za-z0-9]', line.lower()))
pieces = [([c if i == 0 else '##' + c for i, c in enumerate(word)], n) for word, n in counts.items()]
start = sorted({c for word in counts for c in word}) + sorted({s for symbols, _ in pieces for s in symbols if s.startswith('##')})
special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
piece_tokens, _ = merges(pieces, special + start, 300, lambda a, b: a + b[2:])

model = io.BytesIO()
sentencepiece.SentencePieceTrainer.train(
    sentence_iterator=iter(lines), model_writer=model, vocab_size=600, model_type='unigram', character_coverage=1.0,
    bos_id=-1, eos_id=-1, unk_id=0, minloglevel=2, max_sentencepiece_length=16, split_by_unicode_script=False,
    split_by_number=False)
processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
samples = lines[3:40:3] + ['unknown symbols: \u00e9\u00e9 \u4e2d\u6587 end', 'two  spaces', 'the the the', 'x' * 40]
fixture = {
    'source': f'sentencepiece {sentencepiece.__version__}',
    'lines': lines,
    'bpe': {'tokens': bpe_tokens, 'merges': bpe_merges},
    'wordPiece': {'tokens': piece_tokens},
    'unigram': {
        'pieces': [[processor.id_to_piece(i), round(processor.get_score(i), 9)] for i in range(processor.get_piece_size())],
        'samples': [{'text': s, 'pieces': processor.encode(s, out_type=str)} for s in samples],
        'tokensOfLines': sum(len(processor.encode(line)) for line in lines),
    },
}
path = os.path.join(ROOT, 'packages', 'text', 'fixtures', 'tokenizers.json')
with open(path, 'w', encoding='utf-8') as file:
    json.dump(fixture, file, ensure_ascii=False, separators=(',', ':'))
    file.write('\n')
print(path, len(lines), 'lines', fixture['unigram']['tokensOfLines'], 'tokens')
