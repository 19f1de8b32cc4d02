"""Classes of words that a shop's questions are about, for the guard's model. Pure.

A small training set cannot show every product in every construction. "The zip of my suitcase jammed"
and "the lid of my kettle cracked" are one thing once both read `part of my good broke`. Each line
below is one class; a word that stands in no class keeps only its form.
"""

from __future__ import annotations

_ENGLISH = """
    good: jacket coat shirt top hoodie sweater jumper sweatshirt cardigan dress skirt trousers pants
        jeans shorts socks sock shoes shoe boots boot sneakers trainers sandals slippers runners hat
        cap scarf gloves pyjamas pajamas swimsuit underwear suitcase bag backpack handbag tote
        wallet kettle mug mugs cup cups glasses glass bottle pan pot lamp blanket pillow pillows
        pillowcase pillowcases curtain towel sheets bedding sofa chair earphones earbuds earbud
        headphones charger cable phone watch bracelet necklace toy umbrella tent knife fan pen
        t-shirt blouse suit tie belt leggings item items thing things product products good goods
        stuff article pair case helmet scarves mattress rug toaster iron hairdryer speaker
    part: zip zipper button buttons lid handle strap sole heel toe sleeve collar seam lining hood
        wheel lock cord plug battery screen base lead spout cover pocket lace laces hem bulb
    parcel: parcel parcels package packages packet box boxes shipment delivery deliveries
    order: order orders purchase purchases basket cart preorder presale
    refund: refund refunds money reimbursement cash cent
    return: return returns exchange exchanges replacement replacements repair repairs pick-up pickup
        collection swap
    invoice: invoice invoices fapiao receipt bill
    payment: payment payments instalment instalments installment installments deposit balance
        charge charges transfer debit
    card: card cards bank alipay wechat huabei visa paypal wallet
    saving: coupon coupons voucher vouchers code codes discount points point gift bonus promo
        promotion sale deal offer
    account: account accounts profile password login email e-mail newsletter membership member level
        status tier number phone gold silver bronze subscription username name
    claim: complaint complaints claim claims ticket review reviews request requests application
        warranty guarantee protection case report
    price: price prices fee fees postage freight duty tax cost costs shipping customs interest yuan
        rmb difference
    courier: courier couriers driver sf zto yto neighbour neighbor porter locker warehouse depot
        sorting hub van station
    staff: agent staff team colleague manager representative operator human someone somebody person
        support service
    place: address street flat city country house home office door postcode japan canada australia
        abroad shanghai beijing tibet
    size: size sizes colour colours color colors small medium large xl xxl m l s red blue green black
        white grey gray navy pink brown
    kin: wife husband mother mum mom father dad son daughter sister brother friend boyfriend
        girlfriend aunt uncle grandma grandmother grandfather boss colleague parents kids child
    bad: broken damaged torn ripped cracked faulty defective wrong missing dirty stained stain hole
        scratched dented dead empty crushed wet soaked leaks leaking leaky flickers smells smell
        smelly fake jammed ruined shrank shrunk loose crooked late lost stuck invalid expired
        greyed locked frozen gone pending rejected refused declined cancelled canceled overdue
        delayed failed blocked closed denied stolen hacked overcharged double twice spoiled rusty
    anger: ridiculous unacceptable terrible awful angry scam rude worst rubbish useless disgusting
        unhappy disappointed furious joke liars
    buy: buy buying bought order ordered ordering purchase purchased shop shopping pay paying paid
        preorder
    receive: receive received receiving get got gotten getting arrive arrived arrives arriving came
        come delivered deliver delivering land landed
    send: send sent sending ship shipped ships shipping dispatch dispatched leave left mail mailed
        post posted
    act: cancel cancelling canceling change changing edit update updating add adding remove removing
        delete deleting close closing open opening create set reset apply applying use using enter
        register combine merge split print download upload choose pick track tracking check
        activate redeem request file write contact reach call talk speak complain measure wash clean
        return exchange swap repair claim unsubscribe stop pause move
    ask: tell explain show help know see find look understand wonder
    promise: promised said told promise supposed due expected
"""
_CHINESE = """
    good: 外套 大衣 羽绒服 衬衫 T恤 t恤 毛衣 卫衣 裙子 连衣裙 裤子 牛仔裤 袜子 鞋子 球鞋 跑鞋 运动鞋 靴子
        凉鞋 拖鞋 鞋 帽子 围巾 手套 睡衣 泳衣 内衣 内裤 行李箱 拉杆箱 箱子 包包 背包 双肩包 手提包 钱包 水壶
        壶 杯子 水杯 保温杯 杯 锅 台灯 灯 毯子 被子 枕头 枕套 抱枕 窗帘 毛巾 床单 四件套 沙发 椅子 耳机 充电器
        充电宝 移动电源 数据线 手机壳 手表 手链 项链 玩具 雨伞 伞 帐篷 刀 风扇 衣服 上衣 东西 商品 产品 宝贝
        物品 电饭煲 吹风机 音箱 烤箱 零食 配件
    part: 拉链 扣子 纽扣 盖子 壶盖 把手 带子 鞋底 鞋跟 袖子 领子 线头 缝线 内衬 轮子 插头 电池 屏幕 底座 口袋
        鞋带 吊牌 标签 包装 盒子 左边 右边
    parcel: 快递 包裹 物流 货 件 快件 单号 运单 运单号 物流单号 物流信息
    order: 订单 单子 这单 那单 下单 拍下 拍的 拍 买的 订的 预售 购物车
    refund: 退款 钱 返现 差价 赔付 赔偿 补偿
    return: 退货 换货 补发 补货 维修 售后 取件 退换 退换货 上门取件
    invoice: 发票 专票 普票 抬头 税号
    payment: 付款 支付 尾款 定金 分期 扣款 转账 余额 账单
    card: 银行卡 信用卡 储蓄卡 支付宝 微信 花呗 卡
    saving: 优惠券 优惠码 券 红包 满减 积分 礼品卡 折扣 优惠 生日礼 赠品 贺卡
    account: 账号 账户 帐号 帐户 密码 手机号 号码 验证码 邮箱 会员 等级 金卡 银卡 铜卡 短信 登录 绑定 注销 号
    claim: 投诉 申请 评价 差评 追评 好评 价保 保修 质保 审核 申诉 反馈 进度
    price: 运费 邮费 快递费 手续费 费用 价格 税 关税 清关 海关 利息 运费险
    courier: 快递员 驿站 快递柜 柜子 丰巢 仓库 邻居 顺丰 中通 圆通 韵达 申通
    staff: 客服 人工 经理 工作人员 店家 卖家 商家
    place: 地址 收货地址 家里 公司 农村 国外 海外 新疆 西藏 北京 上海 广州 香港 澳门 单元 门口
    size: 尺码 尺寸 颜色 码 黑色 白色 红色 灰色 蓝色 大一码 小一码
    kin: 我妈 我爸 老公 老婆 朋友 女儿 儿子 同事 邻居 女朋友 男朋友 妈妈 爸爸 孩子 家人 我家
    bad: 坏 破 碎 裂 漏 漏水 漏电 漏发 少发 错发 发错 寄错 脏 臭 开胶 起球 掉色 缩水 脱线 掉毛 变形 发霉 断
        鼓包 失效 无效 过期 丢 丢件 丢失 少 缺 空的 湿 假货 二手 瑕疵 污渍 怪味 味道 异味 差 歪 掉 洞 不对
        不对版 不一样 超时 失败 被拒 驳回 锁 冻结 关闭 冒领 问题 质量 错 破损 损坏 不见 没了 没反应 灰的
    anger: 骗 垃圾 太差 差劲 无语 气死 过分 离谱 恶劣 忽悠 坑 骂人 态度 管不管 催 催一下 尽快 赶紧 急用 赔我
        说法 答复
    receive: 收到 收货 到手 到货 拿到 签收 拒收 到账 打开 查收 送达 派送 揽收
    send: 发货 发出 寄出 寄回 寄回去 发 寄 送 送到 寄到 退回
    act: 取消 修改 改 换 退 退掉 换绑 合并 拦截 删除 删 关闭 开通 设置 查询 查看 申请 填写 填 选 选择 领取 领
        使用 用 抵扣 下载 上传 打印 延长 撤销 投诉 联系 报修 注册 登录 升级 重置 开票 补开 付 试穿 洗 清理
        保养 量 带 寄回 退订
    promise: 说好 答应 承诺 保证 说是 明明
"""


def _by_word(lines: str) -> dict[str, str]:
    """Each word -> its class in angle brackets; the first class that lists a word has it."""
    found: dict[str, str] = {}
    name = ""
    for word in lines.split():
        if word.endswith(":"):
            name = f"<{word[:-1]}>"
        else:
            found.setdefault(word, name)
    return found


# "get" is as much grammar as a verb of receiving.
CLASS_OF = {word: name for word, name in _by_word(_ENGLISH).items() if word != "get"}
HAN_CLASS_OF = _by_word(_CHINESE)
