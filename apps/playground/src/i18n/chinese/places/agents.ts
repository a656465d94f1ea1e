/** 智能体。 */
import type { agentWords as English } from '../../english/places/agents.ts';
import type { Words } from '../../words.ts';

export const agentWords: Words<typeof English> = {
  'agents.title': '智能体',
  'agents.world': '环境',
  'agents.world.cartpole': '倒立摆（CartPole）',
  'agents.world.snake': '贪吃蛇',
  'agents.about.cartpole': '小车每秒五十次被向左或向右推，使车上的杆不倒。每站住一步得 1 分；满 500 步时回合结束。',
  'agents.about.snake':
    '吃到苹果得 1 分，撞墙或撞到自己扣 1 分。网络看到十一个数：前方和两侧是否危险、朝向以及苹果的方位。',
  'agents.method': 'PPO：同时在多个环境副本中行动；随后，结果好于预期的动作概率增大，差于预期的动作概率减小。',
  'agents.episodes': '回合',
  'agents.mean': '近百回合平均回报',
  'agents.best': '最高回报',
  'agents.entropy': '熵',
  'agents.returns': '回报',
  'agents.each': '每回合的回报',
  'agents.discount': '折扣因子',
  'agents.entropyWeight': '熵奖励',
  'agents.watched': '训练 {steps} 步后的策略：回报 {total}',
  'agents.picture.cartpole': '智能体控制的小车和杆',
  'agents.picture.snake': '智能体控制的蛇、苹果和棋盘',
  'agents.boardMap': '颜色：按当前朝向，蛇头位于各格时的价值。',
  'agents.left': '向左推',
  'agents.right': '向右推',
  'agents.ahead': '直行',
  'agents.turnRight': '右转',
  'agents.turnLeft': '左转',
  'agents.value': '价值',
  'agents.valueTitle': '价值函数',
  'agents.valueHelp.cartpole': '智能体对每个状态预期的折扣回报；另外两个量取 0。圆点是正在观看的状态。',
  'agents.valueHelp.snake': '蛇可能处于的 288 个状态中的最低与最高价值。',
  'agents.position': '位置（m）',
  'agents.speed': '速度（m/s）',
  'agents.angle': '角度（rad）',
  'agents.turning': '角速度（rad/s）',
};
