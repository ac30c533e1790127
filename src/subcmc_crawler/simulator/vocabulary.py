"""The words that invented records are made of. No person, company, number or host here is a real one.

Tables that a row indexes with a byte have 2, 4, 8, 16, 32 or 64 entries, so that no entry is favoured.
"""

from __future__ import annotations

from typing import Final

SURNAMES: Final = tuple(
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹"
    "袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石邹"
)
GIVEN_FIRST: Final = tuple("建国志文明永春秋海晓玉金振学庆家宏德立新少雪丽思雨子佳欣天一正俊")
GIVEN_LAST: Final[tuple[str, ...]] = ("", *"军伟强磊洋勇杰涛超鹏辉刚平华芳娜敏静秀娟艳玲桂霞燕红梅琳宁峰波")

PLACE_FIRST: Final = tuple("安永昌临新清平长宁兴武河东西南北金石泰和定广福嘉凤云龙青白玉华文")
PLACE_LAST: Final = tuple("山河川阳城安宁峰远源丰泉林桥口江岭湖海原陵康乐顺德峡水关田池坪港")

POSITIONS: Final = ("民警", "所长", "副所长", "指导员", "大队长", "中队长", "科员", "主任")

DEVICE_MODELS: Final = (
    # policeTerminalType (3.1), brand, model, os, cpu
    (20101, "曙安", "SA-M5", "Android", "八核 2.4GHz"),
    (20101, "曙安", "SA-M7 Pro", "Android", "八核 2.8GHz"),
    (20101, "长河", "CH-P20", "HarmonyOS", "八核 2.6GHz"),
    (20101, "长河", "CH-P30", "HarmonyOS", "八核 3.0GHz"),
    (20101, "云盾", "YD-6", "Android", "八核 2.2GHz"),
    (20102, "云盾", "YD-Pad 11", "Android", "八核 2.4GHz"),
    (20103, "明鉴", "MJ-R2", "Linux", "四核 1.5GHz"),
    (20201, "曙安", "SA-Book 14", "UOS", "八核 3.2GHz"),
)
STORAGES: Final = ("64GB", "128GB", "256GB", "512GB")

OPERATORS: Final = ("中国移动", "中国电信", "中国联通", "中国广电")
NETWORK_TYPES: Final = (101, 201, 202, 203)  # 3.17, both levels joined
NETWORK_GENERATIONS: Final = ("4G", "5G", "4G/5G", "专线")
BANDWIDTHS_MBPS: Final = (50, 100, 200, 300, 500, 600, 800, 1000)

ASSETS: Final = (
    # assetType (3.1), name, os
    (30101, "核心路由器", "VRP"),
    (30102, "汇聚交换机", "VRP"),
    (30201, "边界防火墙", "专用系统"),
    (30202, "入侵防御系统", "专用系统"),
    (30302, "安全接入网关", "专用系统"),
    (30305, "双向隔离交换系统", "专用系统"),
    (30401, "应用服务器", "麒麟 V10"),
    (30402, "虚拟化主机", "欧拉 22.03"),
)
PLATFORM_AREAS: Final = ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 4))  # 3.2 and 3.3
PURPOSES: Final = ("移动接入", "业务承载", "安全防护", "数据交换")
MANUFACTURERS: Final = ("曙安科技有限公司", "长河网络有限公司", "云盾信息有限公司", "明鉴电子有限公司")

SYSTEMS: Final = (
    # type (3.15), name, what it does
    (1, "应用市场", "提供警务应用的上架、审核、分发与更新"),
    (2, "服务总线", "提供服务注册、路由、限流与调用审计"),
    (3, "身份认证系统", "提供统一身份认证与单点登录"),
    (4, "权限管理系统", "提供角色、资源与授权策略管理"),
    (5, "目录服务", "提供机构、人员与设备的统一目录"),
    (6, "应用运营平台", "提供应用使用情况统计与评价"),
    (7, "运行监测系统", "提供链路、主机与应用的运行监测"),
    (99, "消息推送系统", "提供面向移动终端的消息下发"),
)

APPS: Final = (
    ("移动核查", "check"),
    ("警务通讯录", "contacts"),
    ("接处警", "dispatch"),
    ("社区走访", "visit"),
    ("交通执法", "traffic"),
    ("勤务管理", "duty"),
    ("案件查询", "cases"),
    ("学习园地", "learn"),
)
LANGUAGES: Final = ("Java", "Go", "Python", "C++", "Kotlin", "JavaScript", "C#", "Rust")
MIDDLEWARES: Final = ("Nginx", "Redis", "Kafka", "RabbitMQ", "Tomcat", "Nacos", "MinIO", "ZooKeeper")
RESOURCES: Final = (
    # type (3.16), name
    (1, "人口数据交换"),
    (2, "车辆信息查询"),
    (2, "地址核验"),
    (3, "人像比对授权"),
    (3, "证照授权访问"),
    (1, "警情数据交换"),
    (2, "勤务排班查询"),
    (99, "短信网关"),
)

POPULATION_MILLIONS: Final = {
    "110000": 21.9,
    "120000": 13.9,
    "130000": 74.6,
    "140000": 34.9,
    "150000": 24.0,
    "210000": 42.6,
    "220000": 24.1,
    "230000": 31.9,
    "310000": 24.9,
    "320000": 84.7,
    "330000": 64.6,
    "340000": 61.0,
    "350000": 41.5,
    "360000": 45.2,
    "370000": 101.5,
    "410000": 99.4,
    "420000": 57.8,
    "430000": 66.4,
    "440000": 126.0,
    "450000": 50.1,
    "460000": 10.1,
    "500000": 32.1,
    "510000": 83.7,
    "520000": 38.6,
    "530000": 47.2,
    "540000": 3.6,
    "610000": 39.5,
    "620000": 25.0,
    "630000": 5.9,
    "640000": 7.2,
    "650000": 22.7,
    "660000": 3.2,
    "710000": 23.6,
    "810000": 7.5,
    "820000": 0.7,
}
"""Area code (3.14) -> population, rounded: how sizes differ between provinces, no more than that."""
