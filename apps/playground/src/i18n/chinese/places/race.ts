/** 优化器赛跑。 */
import type { raceWords as english } from '../../english/places/race.ts';
import type { Words } from '../../words.ts';

export const raceWords: Words<typeof english> = {
  'race.title': '优化器赛跑',
  'race.surface': '损失曲面',
  'race.surface.valley': '狭长山谷',
  'race.surface.rosenbrock': 'Rosenbrock 函数：弯曲的山谷',
  'race.surface.saddle': '鞍点',
  'race.surface.beale': 'Beale 函数：陡壁',
  'race.surface.himmelblau': 'Himmelblau 函数：四个极小值',
  'race.surface.ripples': '许多局部极小值',
  'race.about.valley': '横向陡、纵向平：普通梯度下降来回振荡或缓慢爬行，动量法沿谷底前进。',
  'race.about.rosenbrock': '谷底是弯的：梯度几乎从不指向极小值。',
  'race.about.saddle': '鞍点处梯度接近 0：能为每个权重自适应步长的优化器最先离开。',
  'race.about.beale': '陡壁处梯度极大，中间的平地梯度极小：同一个学习率无法兼顾。',
  'race.about.himmelblau': '四个极小值同样深：到达哪一个取决于起点和优化器。',
  'race.about.ripples': '小步会停在最近的坑里；动量能越过其中一些。',
  'race.map': '俯视{surface}，蓝色处损失低，并显示各优化器的轨迹',
  'race.leader': '领先',
  'race.standings': '名次',
  'race.out': '已发散',
  'race.rate': '{optimizer} 的学习率',
  'race.startX': '起点：权重 1',
  'race.startY': '起点：权重 2',
  'race.hint': '点击曲面可换起点。',
  'help.race.surface': '两个权重上的损失。每个曲面都会难住一部分优化器。',
  'help.race.start': '各优化器的起点。点击地图也可以设置。',
  'help.race.rate': '这个优化器的学习率。太高就会冲出地图。',
  'help.race.steps': '显示第几步。拖动可前后移动。',
  'help.race.leader': '此步损失最低的优化器。',
  'help.race.loss': '此步的最低损失。',
};
