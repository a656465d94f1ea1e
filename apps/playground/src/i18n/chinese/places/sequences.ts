/** 字符序列。 */
import type { sequenceWords as English } from '../../english/places/sequences.ts';
import type { Words } from '../../words.ts';

export const sequenceWords: Words<typeof English> = {
  'sequences.title': '文本',
  'sequences.text': '学习的文本',
  'sequences.text.sentences': '句子',
  'sequences.text.repeats': '说三遍的词',
  'sequences.text.brackets': '括号',
  'sequences.text.own': '自己的文本',
  'sequences.about.sentences': '由几条规则生成的简单句子。网络起初写出噪声，然后是词，最后是句子。',
  'sequences.about.repeats':
    '每个生造的词出现三次。从第二次起，只有回看第一次才知道如何继续：训练约三百步后，看看注意力选中什么。',
  'sequences.about.brackets': '每个括号都由对应的括号闭合，后开的先闭。网络必须记住哪些还开着。',
  'sequences.about.own': '粘贴一段几百字以上的文本，任何语言均可。文本不会离开本页。',
  'sequences.ownText': '你的文本',
  'sequences.take': '学习这段文本',
  'sequences.facts': '{characters} 个字符，{kinds} 种；十分之一留作测试集。',
  'sequences.width': '宽度',
  'sequences.layers': '层数',
  'sequences.heads': '注意力头',
  'sequences.bits': '每字符比特',
  'sequences.written': '网络写的文本',
  'sequences.write': '书写',
  'sequences.after': '训练 {step} 步后',
  'sequences.next': '下一个字符',
  'sequences.prompt': '开头',
  'sequences.temperature': '温度',
  'sequences.topK': 'Top-k',
  'sequences.all': '全部',
  'sequences.take1': '接着写 {character}，{share}',
  'sequences.nextHelp': '边框是网络给出的概率，色条是经温度和 top-k 调整后的概率。按一个字符即可接着写。',
  'sequences.attention': '注意力',
  'sequences.head': '第 {layer} 层，第 {head} 头',
  'sequences.attentionHelp': '每一行是一个字符回看它之前的字符；颜色越深，取用越多。指向一个字符，看它看向哪里。',
  'sequences.looks': '{from} 最关注往前第 {place} 个字符 {to}：{share}',
};
